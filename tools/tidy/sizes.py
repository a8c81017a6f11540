"""Files, functions and lines that one can read in one sitting."""
import re

from tree import Rule

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 110
CODE = (".cc", ".h", ".py", ".js", ".ts", ".cmake", "CMakeLists.txt")


def check_files(tree):
    for s in tree.sources:
        if s.path.endswith(CODE) and len(s.lines) > FILE_LINES_MAX:
            yield s.path, FILE_LINES_MAX + 1, (f"{len(s.lines)} lines where {FILE_LINES_MAX} are allowed: "
                                               "give one of its jobs a file of its own")


def check_lines(tree):
    for s in tree.sources:
        if not s.path.endswith(CODE):
            continue
        for number, line in enumerate(s.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield s.path, number, f"{len(line)} columns where {COLUMNS_MAX} are allowed: wrap it"


SCOPE = re.compile(r"^\s*(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|extern)\b"
                   r"(?!.*\)\s*\w*$)", re.S)
NOT_A_FUNCTION = re.compile(r"^\s*(if|for|while|switch|do|else|try|catch|enum)\b|=\s*$|^\s*$|^\s*[\[{]")


def functions(source):
    """(first line, last line) of every function that is not inside of another one."""
    code = re.sub(r"(?m)^[ \t]*#.*$", lambda m: " " * len(m[0]), source.code)
    line, head, head_line = 1, "", None
    scopes = []  # of each open brace: "scope", "other", or the line on which a function begins
    for c in code:
        if c == "{":
            if any(scope != "scope" for scope in scopes):
                scopes.append("other")
            elif SCOPE.search(head.strip()):
                scopes.append("scope")
            elif ")" in head and not NOT_A_FUNCTION.search(head.strip() or " "):
                scopes.append(head_line or line)
            else:
                scopes.append("other")
        elif c == "}" and scopes:
            first = scopes.pop()
            if isinstance(first, int):
                yield first, line
        if c in "{};":
            head, head_line = "", None
        else:
            head += c
            if head_line is None and not c.isspace():
                head_line = line
        if c == "\n":
            line += 1


def check_functions(tree):
    for s in tree.cpp():
        for first, last in functions(s):
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield s.path, first, (f"{last - first + 1} lines where {FUNCTION_LINES_MAX} are allowed: "
                                      "name a part of it and move it out")


def body(lines):
    return "".join(f"  f({i});\n" for i in range(lines))


RULES = [
    Rule("file-length", check_files, breaks=[{"src/a/a.cc": "int x;\n" * 401}],
         keeps=[{"src/a/a.cc": "int x;\n" * 400}, {"docs/a.md": "x\n" * 401}]),
    Rule("line-length", check_lines, breaks=[{"src/a/a.cc": "// " + "x" * 108 + "\n"},
                                             {"CMakeLists.txt": "#" * 111 + "\n"}],
         keeps=[{"src/a/a.cc": "// " + "x" * 107 + "\n"}, {"README.md": "x" * 200 + "\n"}]),
    Rule("function-length", check_functions,
         breaks=[{"a.cc": "void f() {\n" + body(69) + "}\n"},
                 {"a.cc": "namespace a {\nclass B {\n  int f() const {\n" + body(69) + "  }\n};\n}\n"},
                 {"a.cc": "TEST(A, B) {\n  if (x) {\n" + body(70) + "  }\n}\n"},
                 {"a.cc": "A::A(int x)\n    : x_(x) {\n" + body(68) + "}\n"}],
         keeps=[{"a.cc": "void f() {\n" + body(68) + "}\n"},
                {"a.cc": "struct A {\n" + "  int x = 1;\n" * 100 + "};\n"},
                {"a.cc": "const int kTable[] = {\n" + "  1,\n" * 100 + "};\n"},
                {"a.cc": "const A kTable[] = {\n" + "  f(1),\n" * 100 + "  {.x = 1,\n   .y = 2},\n};\n"},
                {"a.cc": "// f() {\nnamespace {\n" + "int f();\n" * 100 + "}\n"}]),
]
