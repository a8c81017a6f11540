"""Calls that have a better replacement here."""
import re

from tree import Rule


def ban(rule, pattern, instead, where, breaks, keeps, unless=None):
    """`pattern`, found in code of a file for which `where` holds, must become `instead`.
    `unless(source, line)` says which lines are fine all the same."""
    compiled = re.compile(pattern)

    def check(tree):
        for s in tree.cpp():
            if not where(s):
                continue
            for number, match in s.matches(compiled):
                if unless is None or not unless(s, number):
                    yield s.path, number, f"`{match[0].strip()}`: {instead}"
    return Rule(rule, check, breaks, keeps)


def everywhere_but(*paths):
    return lambda s: not s.path.startswith(paths)


def in_program_but(*paths):
    """In what users run: not in tests, nor in examples, which stand for services in any language."""
    return lambda s: s.path.startswith(("src/", "apps/")) and not s.is_test and not s.path.startswith(paths)


def in_tests_of_real_time(s):
    return s.is_test and not s.path.startswith(("src/io/sim/", "tests/sim/"))


# Mail and jobs belong to the loop or worker that runs them, which deletes them.
MAIL = ("src/io/call.h", "src/io/loop.cc", "src/io/loop.h", "src/io/worker.h", "src/session/lanes.cc",
        "src/store/writer.cc")

def is_polling(source, number):
    return "while (" in source.lines[number - 1]


def is_owned_at_once(source, number):
    near = " ".join(source.code_lines[max(0, number - 2):number])
    return re.search(r"unique_ptr<[^;]*\(\s*new |reset\(new ", near) is not None


RULES = [
    ban("sleep", r"\b(usleep|nanosleep|sleep_until|this_thread::sleep_for)\b|(?<![\w:.])sleep\(|"
                 r"(?<!this_thread::)\bsleep_for\((?!.*\b(0ms|Duration\(0\)|Duration::zero\(\))\))",
        "a test waits for a condition, with a deadline: eventually(), a pause in the line of its `while (`, "
        "or virtual time",
        lambda s: in_tests_of_real_time(s),
        [{"src/a/a_test.cc": "void f() { usleep(5000); }\n"},
         {"tests/x/a.cc": "co_await io::sleep_for(loop, 1ms);\n"},
         {"src/a/a_test.cc": "std::this_thread::sleep_for(1s);\n"}],
        [{"tests/sim/a.cc": "co_await io::sleep_for(loop, 1ms);\n"},
         {"src/a/a.cc": "co_await sleep_for(loop, 1s);\n"},
         {"src/a/a_test.cc": "while (!seen) co_await io::sleep_for(loop, 1ms);\n"},
         {"src/a/a_test.cc": "co_await io::sleep_for(loop, 0ms);  // usleep(1)\n"}], is_polling),
    ban("random", r"\b(std::)?s?rand\(|\brandom_device\b|\bmt19937|\bdrand48\b",
        "use base/random.h, which tests can seed",
        everywhere_but("src/base/random."),
        [{"src/a/a.cc": "int x = rand();\n"}, {"tests/a.cc": "std::mt19937 g;\n"}],
        [{"src/base/random.cc": "std::random_device d;\n"}, {"src/a/a.cc": "int x = strand();\n"}]),
    ban("clock", r"\b(system|steady)_clock::now|\bgettimeofday\b|\bclock_gettime\b|"
                 r"(?<![\w.>])time\((nullptr|NULL|0|&)",
        "use base/clock.h for dates and loop.now() for deadlines, which virtual time replaces",
        in_program_but("src/base/clock.", "src/io/epoll.cc"),
        [{"src/a/a.cc": "auto t = std::chrono::system_clock::now();\n"},
         {"src/a/a.cc": "auto t = time(nullptr);\n"}],
        [{"src/base/clock.cc": "std::chrono::system_clock::now();\n"},
         {"src/a/a.cc": "auto t = loop.now();\n"},
         {"src/a/a.cc": "x.time(0);\n"}]),
    ban("environment", r"\b(secure_)?getenv\(|\bsetenv\(|\bputenv\(",
        "settings come from the configuration, which may name ${VARIABLES}",
        in_program_but("src/config/config.cc"),
        [{"src/a/a.cc": 'auto v = std::getenv("X");\n'}],
        [{"src/config/config.cc": 'std::getenv("X");\n'}, {"tests/a.cc": 'std::getenv("X");\n'}]),
    ban("formatting", r"\bv?sn?printf\(|\basprintf\(", "use fmt::format", everywhere_but("examples/"),
        [{"src/a/a.cc": 'sprintf(b, "x");\n'}, {"src/a/a_test.cc": "std::snprintf(b, 1);\n"}],
        [{"src/a/a.cc": 'fmt::format("sprintf(");\n'}]),
    ban("parsing",
        r"\b(std::)?(strto(l|ll|ul|ull|d|f|ld|imax|umax)|ato(i|l|ll|f)|sto(i|l|ll|ul|ull|d|f|ld)|sscanf)\(",
        "use parse_decimal (base/bytes.h) or std::from_chars, which see every mistake",
        everywhere_but("bench/"),
        [{"src/a/a.cc": "int x = atoi(s);\n"}, {"src/a/a_test.cc": "std::stoi(s);\n"}],
        [{"src/a/a.cc": "std::from_chars(a, b, x);\n"}, {"src/a/a.cc": "stop(s);\n"}]),
    ban("output", r"\b(std::)?f?printf\(|\bstd::(cout|cerr|clog)\b|\b(std::)?f?puts\(|\bperror\(",
        "the library logs (base/log.h); only apps write to the terminal",
        lambda s: s.path.startswith("src/") and not s.is_test and s.path != "src/base/check.cc",
        [{"src/a/a.cc": 'std::cerr << "x";\n'}, {"src/a/a.cc": 'printf("x");\n'}],
        [{"apps/a/main.cc": 'std::cerr << "x";\n'}, {"src/a/a_test.cc": 'printf("x");\n'}]),
    ban("detach", r"\.detach\(\)", "own it: a TaskGroup, io::Worker, or a joined thread", everywhere_but(),
        [{"src/a/a.cc": "std::thread(f).detach();\n"}], [{"src/a/a.cc": "group.spawn(f());\n"}]),
    ban("assert", r"(?<![\w_])assert\(", "CHECK, which release builds have too; in tests ASSERT_*",
        everywhere_but(),
        [{"src/a/a.cc": "assert(x);\n"}], [{"src/a/a.cc": "static_assert(x);\nCHECK(x);\n"}]),
    ban("raw-memory",
        r"(?<![\w:.])(?<!<)new (?!\()(?=[A-Za-z_:])|(?<![\w=] )(?<!\w)delete(\[\])? (?=[a-z_])|"
        r"\b(malloc|calloc|realloc|free)\(",
        "std::make_unique, or std::unique_ptr<T>(new T) where the constructor is private",
        lambda s: s.path.startswith(("src/", "apps/")) and not s.is_test and s.path not in MAIL,
        [{"src/a/a.cc": "auto* x = new Y();\n"}, {"src/a/a.cc": "  delete x;\n"},
         {"src/a/a.cc": "free(x);\n"}],
        [{"src/a/a.cc": "std::unique_ptr<Y> y(new Y(1));\n"}, {"src/a/a.cc": "::new (p) Y();\n"},
         {"src/a/a.h": "Y(const Y&) = delete;\n"}, {"src/io/loop.cc": "delete mail;\n"},
         {"src/a/a.cc": "return std::unique_ptr<Y>(\n    new Y(1));\n"}], is_owned_at_once),
    ban("exceptions", r"(?<!\w)throw\b", "return an Error: fail(Code::…, Side::…, context)",
        in_program_but(), [{"src/a/a.cc": "throw Bad();\n"}],
        [{"src/a/a.cc": "return fail(Code::internal);  // throw\n"}]),
    ban("lambda-coroutine", r"\[[^\]\[]+\]\s*\([^()]*\)\s*(mutable\s*)?->\s*(io::)?Task<",
        "a capturing lambda dies before its coroutine does: write a function", everywhere_but(),
        [{"src/a/a.cc": "auto f = [&x](int a) -> io::Task<void> {\n"}],
        [{"src/a/a.cc": "auto f = [](int a) -> io::Task<void> {\n"}]),
]
