"""Documents that name what is there."""
import os
import re

from tree import Rule

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FOLDERS = "src|adapters|apps|tests|tools|docs|bench|examples|cmake|web|deploy"
PATH = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*\w)(?![\w/*<{{…]|\.\{{)")


def anchors(text):
    """As GitHub makes them of headings."""
    out = set()
    for heading in re.findall(r"(?m)^#+ (.+?)\s*$", re.sub(r"(?ms)^```.*?^```", "", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        out.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return out


def exists(tree, path):
    path = path.rstrip("/")
    return path in tree.texts or any(known.startswith(path + "/") for known in tree.texts)


def without_code(text):
    return re.sub(r"(?ms)^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def check_links(tree):
    for s in tree.sources:
        if not s.path.endswith(".md"):
            continue
        for number, line in enumerate(without_code(s.text).splitlines(), 1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(s.path), name)) if name else s.path
                if not exists(tree, path):
                    yield s.path, number, f"{target} leads nowhere: there is no {path}"
                elif anchor and anchor not in anchors(tree.texts.get(path, "")):
                    yield s.path, number, f"{target} leads nowhere: {path} has no such heading"


def check_paths(tree):
    """Files that documents, comments and CMake speak of."""
    for s in tree.sources:
        if s.path.startswith(("tools/tidy/", "tests/fuzz/corpus/")) or s.path.endswith((".html",
                                                                                        ".gitignore")):
            continue
        for number, line in enumerate(s.lines, 1):
            if s.is_cpp and "//" not in line:
                continue
            words = line.partition("//")[2] if s.is_cpp else line
            for match in PATH.finditer(words):
                path = match[1]
                if re.search(r"/[A-Z]+(/|$)", path):
                    continue  # stands for any name
                own = os.path.normpath(os.path.join(os.path.dirname(s.path), path))
                built = re.search(r"build/\w+/$", words[:match.start(1)])
                if not built and not any(exists(tree, known) for known in (path, path + ".h", own,
                                                                           "src/" + path)):
                    yield s.path, number, f"there is no {path}"


RULES = [
    Rule("link", check_links,
         breaks=[{"a.md": "[x](b.md)\n"}, {"a.md": "[x](#no)\n"},
                 {"docs/a.md": "[x](b.md#no)\n", "docs/b.md": "# Yes\n"}],
         keeps=[{"docs/a.md": "[x](../b.md#the-one-and-only)\n", "b.md": "## The one, and `only`\n"},
                {"a.md": "[x](https://example.org/y)\n```\n[x](y)\n```\n"},
                {"a.md": "[x](d)\n", "d/e": "x"}]),
    Rule("path", check_paths,
         breaks=[{"a.md": "see `src/a/gone.cc`\n"}, {"src/a/a.cc": "// docs/gone.md has the bytes\n"}],
         keeps=[{"a.md": "see `src/a/a.cc` and `tests/`\n", "src/a/a.cc": "", "tests/x": ""},
                {"a.md": "`src/*/x.h`, src/<module>/y.cc, build/dev/src/http/http_test\n"}]),
]
