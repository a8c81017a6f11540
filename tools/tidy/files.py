"""How files look and are named, and that each of them is used."""
import os
import re

from tree import Rule

TEXT = (".cc", ".h", ".py", ".js", ".ts", ".md", ".txt", ".cmake", ".toml", ".html", ".json", ".yml", ".http",
        "Makefile", "setup")
VAGUE = re.compile(r"(^|_)(utils?|manager|helpers?|common|misc|stuff)(_|\.|$)")


def check_once(tree):
    for s in tree.cpp():
        if s.is_header and not re.match(r"(//[^\n]*\n|\s)*#pragma once\n", s.text):
            yield s.path, 1, "`#pragma once` comes first, behind the comment that says what the header is for"


def check_purpose(tree):
    for s in tree.cpp():
        if s.is_header and not s.text.startswith("// "):
            yield s.path, 1, "begin with a comment that says what the header is for"


def check_relative(tree):
    for s in tree.cpp():
        for number, name, quoted in s.includes():
            if quoted and ("./" in name or s.path.startswith("src/") and "/" not in name):
                yield s.path, number, f'"{name}": include by the path from src/, as everybody else does'


def check_own_header(tree):
    for s in tree.cpp():
        header = s.path[:-len(".cc")] + ".h"
        if s.is_header or header not in tree.texts:
            continue
        first = next(iter(s.includes()), None)
        if first is None or os.path.basename(first[1]) != os.path.basename(header):
            line = first[0] if first else 1
            yield s.path, line, "include its own header first: that proves that it needs no other before it"


USING = re.compile(r"\busing namespace\b(?!\s+std::(chrono_|string_)?literals)")


def check_using(tree):
    for s in tree.cpp():
        if s.is_header:
            for number, _ in s.matches(USING):
                yield s.path, number, "a header opens no namespace for who includes it: name what you use"


def check_left_over(tree):
    for s in tree.sources:
        if not s.path.startswith("tools/tidy/"):
            for number, line in enumerate(s.lines, 1):
                if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                    yield s.path, number, "do it now, or open an issue; the tree holds what is finished"


def check_blanks(tree):
    for s in tree.sources:
        if not s.path.endswith(TEXT):
            continue
        for number, line in enumerate(s.text.split("\n"), 1):
            if re.search(r"[ \t\r]$", line) and not s.path.endswith(".http"):
                yield s.path, number, "blanks at the end of the line: make format"
            if "\t" in line and s.is_cpp:
                yield s.path, number, "a tab: make format"
        if s.text and not s.text.endswith("\n"):
            yield s.path, len(s.lines), "the last line does not end"


def check_names(tree):
    for s in tree.cpp():
        name = os.path.basename(s.path)
        if not re.fullmatch(r"[a-z0-9_]+\.(cc|h)", name):
            yield s.path, 1, "files are named in snake_case"
        if VAGUE.search(name):
            yield s.path, 1, "a name that says nothing about the job: name the job"


def check_tests(tree):
    macro = re.compile(r"^(TYPED_)?TEST(_F|_P)?\((\w+), *(\w+)\)")
    for s in tree.cpp():
        for number, match in s.matches(macro):
            if not s.path.endswith(("_test.cc", "_test.h")):
                yield s.path, number, "tests stand in files that end in _test.cc, or are never built"
            for name in (match[3], match[4]):
                if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
                    yield s.path, number, f"{name}: names of tests are PascalCase and say what holds"


def check_built(tree):
    """In src/ CMake takes all of a module's folder; elsewhere it must name the file."""
    for s in tree.cpp():
        if s.is_header or s.path.startswith("src/"):
            folder = os.path.dirname(s.path)
            inside = [f for f in (folder, os.path.dirname(folder)) if f"{f}/CMakeLists.txt" in tree.texts]
            if not s.is_header and not inside:
                yield s.path, 1, "no CMakeLists.txt builds it"
            continue
        folder, name = os.path.split(s.path)
        stem = name[:-len(".cc")]
        cmake = tree.texts.get(f"{folder}/CMakeLists.txt", "")
        if s.path in tree.texts.get("CMakeLists.txt", ""):
            continue
        short = stem[:-len("_test")] if stem.endswith("_test") else stem
        if not re.search(rf"\b({re.escape(stem)}|{re.escape(short)})\b", cmake):
            yield s.path, 1, f"{folder}/CMakeLists.txt does not build it"


def check_included(tree):
    included = {name for s in tree.cpp() for _, name, quoted in s.includes() if quoted}
    bases = {os.path.basename(name) for name in included}
    for s in tree.cpp():
        if not s.is_header:
            continue
        full = s.path.split("/", 1)[1] if s.path.startswith(("src/", "apps/")) else os.path.basename(s.path)
        used = full in included if s.path.startswith(("src/", "apps/")) else full in bases
        if not used:
            yield s.path, 1, "nobody includes it: delete it"


OK = "// What it is for.\n#pragma once\n"
RULES = [
    Rule("pragma-once", check_once,
         [{"src/a/a.h": "// x\nint x;\n"}, {"src/a/a.h": "#include <a>\n#pragma once\n"}],
         [{"src/a/a.h": OK}]),
    Rule("purpose", check_purpose, [{"src/a/a.h": "#pragma once\n"}], [{"src/a/a.h": OK}]),
    Rule("relative-include", check_relative,
         [{"src/a/a.cc": '#include "../b/b.h"\n'}, {"src/a/a.cc": '#include "a.h"\n'}],
         [{"src/a/a.cc": '#include "a/a.h"\n'}, {"tests/a/a.cc": '#include "a.h"\n'}]),
    Rule("own-header-first", check_own_header,
         [{"src/a/a.h": OK, "src/a/a.cc": '#include <vector>\n#include "a/a.h"\n'}],
         [{"src/a/a.h": OK, "src/a/a.cc": '#include "a/a.h"\n#include <vector>\n'}]),
    Rule("using-namespace", check_using, [{"src/a/a.h": OK + "using namespace std;\n"}],
         [{"src/a/a.cc": "using namespace std;\n"}]),
    Rule("left-over", check_left_over, [{"a.md": "# TODO\n"}, {"src/a/a.cc": "// FIXME: x\n"}],
         [{"src/a/a.cc": "int todo;\n"}]),
    Rule("blanks", check_blanks, [{"src/a/a.cc": "int x; \n"}, {"a.md": "x"}, {"src/a/a.cc": "x\r\n"},
                                  {"src/a/a.cc": "\tint x;\n"}],
         [{"src/a/a.cc": "int x;\n"}, {"a.http": "c> a \n"}]),
    Rule("file-name", check_names, [{"src/a/Aa.cc": ""}, {"src/a/string_utils.h": OK}, {"src/a/a-b.cc": ""}],
         [{"src/a/commons_park.cc": ""}, {"src/a/h1_parser_test.cc": ""}]),
    Rule("test-name", check_tests,
         [{"src/a/a_test.cc": "TEST(A, b_c) {\n"}, {"src/a/a.cc": "TEST(A, B) {\n"}],
         [{"src/a/a_test.cc": "TEST_F(Http1, AConnectionServesMany) {\n"}]),
    Rule("dead-source", check_built,
         [{"src/a/a.cc": ""}, {"tests/a/b.cc": "", "tests/a/CMakeLists.txt": "a.cc\n"}],
         [{"src/a/a.cc": "", "src/a/CMakeLists.txt": ""},
          {"tests/a/b_test.cc": "", "tests/a/CMakeLists.txt": "foreach(n b)\n"},
          {"src/a/stages/b.cc": "", "src/a/CMakeLists.txt": ""},
          {"bench/b.cc": "", "CMakeLists.txt": "add_executable(b bench/b.cc)\n"}]),
    Rule("dead-header", check_included, [{"src/a/a.h": OK, "src/b/b.cc": '#include "b/a.h"\n'}],
         [{"src/a/a.h": OK, "src/b/b.cc": '#include "a/a.h"\n'},
          {"tests/a/a.h": OK, "tests/a/a.cc": '#include "a.h"\n'}]),
]
