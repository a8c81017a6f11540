"""The files that rules look at, and what a rule is."""
import os
import re
import subprocess


class Finding:
    """One violation: where, of which rule, and what to do instead."""

    def __init__(self, path, line, rule, message):
        self.path, self.line, self.rule, self.message = path, line, rule, message

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Rule:
    """`check(tree)` yields (path, line, message). Each of `breaks` is a tree (path -> text) that must give a
    finding, each of `keeps` one that must give none: they are the rule's own test."""

    def __init__(self, name, check, breaks, keeps):
        self.name, self.check, self.breaks, self.keeps = name, check, breaks, keeps

    def findings(self, tree):
        for path, line, message in self.check(tree):
            if not tree.excuses(path, line, self.name):
                yield Finding(path, line, self.name, message)


class Source:
    """One text file. `code` is the text with comments and the insides of literals blanked out, so that a word
    in it is a word of the program; lines are where they were."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.splitlines()
        self.is_header = path.endswith(".h")
        self.is_cpp = path.endswith((".cc", ".h"))
        name = os.path.basename(path)
        self.is_test = (path.startswith("tests/") or name.endswith("_test.cc") or name.endswith("_test.h")
                        or name.startswith("test_"))
        self.code = blank(text) if self.is_cpp else text
        self.code_lines = self.code.splitlines()

    def matches(self, pattern):
        """(line number, match) of every match in the code."""
        for number, line in enumerate(self.code_lines, 1):
            for match in pattern.finditer(line):
                yield number, match

    def includes(self):
        """(line number, name, quoted) of every #include."""
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if match:
                yield number, match[2], match[1] == '"'


LITERAL_OR_COMMENT = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s\\]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def blank(text):
    def spaces(match):
        return re.sub(r"[^\n]", " ", match[0])
    return LITERAL_OR_COMMENT.sub(spaces, text)


class Tree:
    EXCUSE = re.compile(r"(?://|#) tidy: ([a-z-]+): \S")

    def __init__(self, files):
        self.texts = files
        self.sources = [Source(path, text) for path, text in sorted(files.items())]
        self.by_path = {source.path: source for source in self.sources}
        self.used_excuses = set()

    def cpp(self, *folders):
        return [s for s in self.sources if s.is_cpp and (not folders or s.path.startswith(folders))]

    def excuses(self, path, line, rule):
        """`// tidy: RULE: why` in the line or the one above it."""
        lines = self.texts.get(path, "").splitlines()
        for number in (line, line - 1):
            if not 1 <= number <= len(lines):
                continue
            match = self.EXCUSE.search(lines[number - 1])
            if match and match[1] == rule:
                self.used_excuses.add((path, number))
                return True
        return False

    def unused_excuses(self):
        for source in self.sources:
            if not source.is_cpp:
                continue
            for number, line in enumerate(source.lines, 1):
                match = self.EXCUSE.search(line)
                if match and (source.path, number) not in self.used_excuses:
                    yield Finding(source.path, number, "tidy", f"excuses nothing: remove `tidy: {match[1]}`")


BINARY = (".png", ".jpg", ".ico", ".gz", ".woff2")


def read_tree(root):
    """Everything that is tracked, or is new and not ignored; without git, everything outside build/."""
    listing = ["git", "-C", root, "ls-files", "-co", "--exclude-standard"]
    try:
        paths = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        paths = [os.path.relpath(os.path.join(folder, name), root)
                 for folder, folders, names in os.walk(root) for name in names
                 if not os.path.relpath(folder, root).startswith(("build", ".git", "var"))]
    files = {}
    for path in sorted(set(paths)):
        full = os.path.join(root, path)
        if path.endswith(BINARY) or "/corpus/" in path or not os.path.isfile(full):
            continue
        with open(full, encoding="utf-8", errors="replace", newline="") as file:
            files[path] = file.read()
    return Tree(files)
