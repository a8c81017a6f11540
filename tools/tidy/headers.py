"""Headers that need no other header before them. One whose .cc includes it first is proved by that (the rule
own-header-first); the others are compiled alone, with the flags of a neighbour."""
import hashlib
import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Finding


IRRELEVANT = ("-MD", "-fsanitize", "-fno-sanitize", "-g", "-O", "-W")


def commands_by_folder(build):
    """folder -> (flags, directory) of one of its compiled files; of a test's, which may include most."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    found = {}
    for entry in sorted(entries, key=lambda e: not e["file"].endswith("_test.cc")):
        words = shlex.split(entry["command"])
        words = words[1:] if os.path.basename(words[0]) == "ccache" else words
        flags, skip = [], False
        for word in words:
            if skip or word in ("-c", entry["file"]):
                skip = False
            elif word in ("-o", "-MT", "-MF"):
                skip = True
            elif not word.startswith(IRRELEVANT):
                flags.append(word)
        found.setdefault(os.path.dirname(entry["file"]), (flags, entry["directory"]))
    return found


def unproved(tree):
    """Headers without a .cc of their own."""
    return [s.path for s in tree.cpp() if s.is_header and s.path[:-len(".h")] + ".cc" not in tree.texts]


def flags_for(root, path, commands):
    folder = os.path.join(root, os.path.dirname(path))
    while folder not in commands and len(folder) > len(root):
        folder = os.path.dirname(folder)
    return commands.get(folder)


def reached_from(tree, path, reached):
    """The headers of the tree that `path` brings along."""
    for _, name, quoted in tree.by_path[path].includes():
        folder = os.path.dirname(path)
        for known in (f"src/{name}", f"apps/{name}", os.path.join(folder, name),
                      os.path.join(os.path.dirname(folder), name)):
            if quoted and known in tree.by_path and known not in reached:
                reached.add(known)
                reached_from(tree, known, reached)
    return reached


def fingerprint(tree, path, flags):
    digest = hashlib.sha256(repr(flags).encode())
    for known in sorted({path} | reached_from(tree, path, set())):
        digest.update(tree.texts[known].encode())
    return digest.hexdigest()


def compile_alone(root, path, command):
    flags, directory = command
    words = [*flags, "-w", "-fsyntax-only", "-x", "c++-header", os.path.join(root, path)]
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    error = next((line for line in done.stderr.splitlines() if "error:" in line), done.stderr.strip())
    return Finding(path, 1, "self-contained", f"does not compile alone; include what it needs: {error}")


def check_headers(tree, root, build, jobs=2):
    """What compiled once is not compiled again until it, or a header it brings along, changes."""
    commands = commands_by_folder(build)
    memory = os.path.join(build, "tidy_headers.json")
    good = {}
    if os.path.exists(memory):
        with open(memory, encoding="utf-8") as file:
            good = json.load(file)
    wanted = {path: flags_for(root, path, commands) for path in unproved(tree)}
    alone = [Finding(path, 1, "self-contained", "nothing beside it is compiled: delete it, or give it a test")
             for path, command in wanted.items() if command is None]
    wanted = {path: command for path, command in wanted.items() if command is not None}
    prints = {path: fingerprint(tree, path, command) for path, command in wanted.items()}
    new = [path for path, known in prints.items() if good.get(path) != known]
    with ThreadPoolExecutor(jobs) as pool:
        results = dict(zip(new, pool.map(lambda path: compile_alone(root, path, wanted[path]), new)))
    with open(memory, "w", encoding="utf-8") as file:
        json.dump({path: known for path, known in prints.items() if results.get(path) is None}, file)
    return alone + [finding for finding in results.values() if finding is not None]
