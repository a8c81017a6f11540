"""Who may include whom. DEPENDS in src/*/CMakeLists.txt says it, and must go down the layers of the table in
ARCHITECTURE.md, which says which libraries stay inside of which module."""
import os
import re

from tree import Rule

# What a header's path begins with -> the package as ARCHITECTURE.md calls it. fmt is used in most modules.
LIBRARIES = {"spdlog/": "spdlog", "openssl/": "OpenSSL", "boost/json": "Boost.JSON", "boost/": "Boost",
             "rocksdb/": "RocksDB",
             "toml++/": "toml++", "CLI/": "CLI11", "sodium": "libsodium", "hiredis": "hiredis",
             "libpq": "libpq",
             "nghttp2": "nghttp2", "nlohmann": "nlohmann"}
TESTS_ONLY = ("io/sim",)


class Module:
    def __init__(self, folder):
        self.folder = folder
        self.depends, self.layer, self.libraries = set(), None, set()
        self.cmake_line = self.row_line = 0


def modules_of(tree):
    """folder under src/ -> Module, from CMake and from the table."""
    modules = {}
    for s in tree.sources:
        match = re.fullmatch(r"src/(.+)/CMakeLists\.txt", s.path)
        if not match:
            continue
        for number, line in enumerate(s.lines, 1):
            call = re.search(r"stateway_module\((\w+)(?: DEPENDS ([\w ]+?))?(?: LIBRARIES .*)?\)", line)
            if call:
                module = modules.setdefault(match[1], Module(match[1]))
                module.depends = {d.replace("io_sim", "io/sim") for d in (call[2] or "").split()}
                module.cmake_line = number
    table = tree.texts.get("ARCHITECTURE.md", "")
    for number, line in enumerate(table.splitlines(), 1):
        row = re.match(r"\| (\d) \| `([\w/]+)` \| (.*?)(?:\[([^\]]*)\])? \|$", line)
        if row:
            module = modules.setdefault(row[2], Module(row[2]))
            module.layer, module.row_line = int(row[1]), number
            module.libraries = {name.strip() for name in (row[4] or "").split(",")}
    return modules


def module_of(path, modules):
    """The module whose folder holds src/`path`: the innermost."""
    found = [m for m in modules if path.startswith(f"src/{m}/")]
    return max(found, key=len, default=None)


def check_table(tree):
    modules = modules_of(tree)
    for folder, m in sorted(modules.items()):
        cmake = f"src/{folder}/CMakeLists.txt"
        if m.cmake_line == 0:
            yield "ARCHITECTURE.md", m.row_line, f"`{folder}` is no module: {cmake} has no stateway_module"
        elif m.layer is None:
            yield cmake, m.cmake_line, f"`{folder}` has no row in ARCHITECTURE.md's table of modules"
        else:
            for other in sorted(m.depends):
                below = modules.get(other)
                inner = folder.startswith(other + "/")  # implements what the outer one declares
                if below is None or below.layer is None:
                    yield cmake, m.cmake_line, f"DEPENDS names {other}, which is no module"
                elif below.layer >= m.layer and not inner:
                    yield cmake, m.cmake_line, (f"layer {m.layer} depends on {other} of layer {below.layer}: "
                                                "move what both need down")


def check_includes(tree):
    modules = modules_of(tree)
    for s in tree.cpp("src/"):
        own = module_of(s.path, modules)
        for number, name, quoted in s.includes():
            other = module_of("src/" + name, modules) if quoted else None
            if other is None or own is None or other == own or other in modules[own].depends:
                continue
            if own == "config" and name.endswith("/options.h"):
                continue  # options are plain values, and config reads those of all modules
            if other in TESTS_ONLY and s.is_test:
                continue
            yield s.path, number, (f"{own} does not depend on {other}: name it in DEPENDS if it is a lower "
                                   "layer, else turn the dependency round")


def library_of(name):
    return next((library for prefix, library in LIBRARIES.items() if name.startswith(prefix)), None)


def check_libraries(tree):
    modules = modules_of(tree)
    carriers = {}  # header -> library that it brings along
    for s in tree.cpp("src/"):
        own = module_of(s.path, modules)
        for number, name, quoted in s.includes():
            library = None if quoted else library_of(name)
            if library is None or own is None:
                continue
            if library not in modules[own].libraries:
                yield s.path, number, (f"{own}'s row in ARCHITECTURE.md does not name {library}: keep it "
                                       "where it is, or add it there with a decision")
            if s.is_header:
                carriers[s.path[len("src/"):]] = library
    for s in tree.cpp("src/", "apps/"):
        own = module_of(s.path, modules)
        for number, name, _ in s.includes():
            if name in carriers and module_of("src/" + name, modules) != own:
                yield s.path, number, f"{name} brings along {carriers[name]}, which stays inside its module"


def check_adapters(tree):
    """What stands in the programs of others brings nothing of ours along."""
    for s in tree.cpp("adapters/"):
        own = "/".join(s.path.split("/")[:2])
        for number, name, quoted in s.includes():
            beside = (f"{own}/{name}", f"{os.path.dirname(s.path)}/{name}")
            if quoted and not any(path in tree.texts for path in beside):
                yield s.path, number, f'"{name}": an adapter stands alone: its own folder, and packages'


TABLE = "| 0 | `base` | all [spdlog] |\n| 1 | `io` | sockets |\n| 2 | `wire` | messages |\n"
BASE = {"ARCHITECTURE.md": TABLE,
        "src/base/CMakeLists.txt": "stateway_module(base LIBRARIES spdlog::spdlog)\n",
        "src/io/CMakeLists.txt": "stateway_module(io DEPENDS base)\n",
        "src/wire/CMakeLists.txt": "stateway_module(wire DEPENDS base io LIBRARIES fmt::fmt)\n"}

RULES = [
    Rule("layer", check_table,
         breaks=[{**BASE, "src/io/CMakeLists.txt": "stateway_module(io DEPENDS base wire)\n"},
                 {**BASE, "src/new/CMakeLists.txt": "stateway_module(new DEPENDS base)\n"},
                 {**BASE, "ARCHITECTURE.md": TABLE + "| 3 | `gone` | nothing |\n"},
                 {**BASE, "src/io/CMakeLists.txt": "stateway_module(io DEPENDS base nothing)\n"}],
         keeps=[BASE, {**BASE, "ARCHITECTURE.md": TABLE + "| 1 | `io/sim` | virtual |\n",
                       "src/io/sim/CMakeLists.txt": "  stateway_module(io_sim DEPENDS base io)\n"}]),
    Rule("include", check_includes,
         breaks=[{**BASE, "src/io/a.cc": '#include "wire/reader.h"\n'},
                 {**BASE, "src/base/a.h": '#include "io/loop.h"\n'}],
         keeps=[{**BASE, "src/wire/a.cc": '#include "io/loop.h"\n#include "wire/b.h"\n#include <vector>\n'},
                {**BASE, "tests/a.cc": '#include "wire/b.h"\n'}]),
    Rule("library", check_libraries,
         breaks=[{**BASE, "src/io/a.cc": "#include <spdlog/spdlog.h>\n"},
                 {**BASE, "src/base/a.h": "#include <spdlog/spdlog.h>\n",
                  "src/io/a.cc": '#include "base/a.h"\n'}],
         keeps=[{**BASE, "src/base/a.h": "#include <spdlog/spdlog.h>\n",
                 "src/base/b.cc": '#include "base/a.h"\n'},
                {**BASE, "src/io/a.cc": "#include <fmt/format.h>\n"}]),
    Rule("adapter-alone", check_adapters,
         breaks=[{"adapters/cpp/x/a.h": '#include "base/bytes.h"\n', "src/base/bytes.h": ""},
                 {"adapters/cpp/a_test.cc": '#include "io/test_loop.h"\n'}],
         keeps=[{"adapters/cpp/x/a.h": '#include "x/b.h"\n#include <boost/json.hpp>\n',
                 "adapters/cpp/x/b.h": ""}]),
]
