// TOML text → exactly the lines that `stateway check` prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_files.h"

namespace stateway::config {
namespace {

using Lines = std::vector<std::string>;

struct Row {
  const char* text;  // stands before kRest, so that its places count from 1
  Lines lines;
};

constexpr std::string_view kRest = R"(
[[listen]]
address = "127.0.0.1:8080"
[service.web]
instances = ["127.0.0.1:9001"]
[[route]]
path = "/"
service = "web"
)";

void expect(std::initializer_list<Row> rows) {
  for (const Row& row : rows)
    EXPECT_THAT(problem_lines(std::string(row.text) + std::string(kRest)),
                testing::ElementsAreArray(row.lines))
        << row.text;
}

TEST(Problems, SyntaxKeysAndTypes) {
  expect({
      {"", {}},
      {"threads = ", {"F:1:11: not valid TOML: expected value, saw '\\n'"}},
      {"[log]\nformat = 'x\n",
       {"F:2:12: not valid TOML: control characters other than TAB (U+0009) are explicitly prohibited"}},
      {"[gatway]\n[gateway]\nthread = 2\n[gateway.x]",
       {"F:1:2: unknown key \"gatway\"; did you mean \"gateway\"?",
        "F:3:1: unknown key \"thread\" in [gateway]; did you mean \"threads\"?",
        "F:4:10: unknown key \"x\" in [gateway]"}},
      {"[gateway]\nthreads = \"2\"\ndebug_headers = 1\ndrain_timeout = 30",
       {"F:2:11: threads must be an integer, not a string",
        "F:3:17: debug_headers must be true or false, not an integer",
        "F:4:17: drain_timeout must be a duration such as \"250ms\", \"30s\", \"5m\" or \"24h\", not an "
        "integer"}},
      {"[gateway]\nthreads = -1\ndrain_timeout = '2d'",
       {"F:2:11: threads must be between 0 and 1024",
        "F:3:17: drain_timeout must be between \"0ms\" and \"1d\""}},
      {"[limits]\nhead = '16kb'\nhead_timeout = '0'\nfields = 1.5",
       {"F:2:8: head must be a size such as \"512\", \"64KiB\" or \"1MiB\", not \"16kb\"",
        "F:3:16: head_timeout must be between \"1ms\" and \"1d\"",
        "F:4:10: fields must be an integer, not a number"}},
      {"[limits]\nhead = '4KiB'",
       {"F:2:8: target must not be longer than head, which contains it (8KiB and 16KiB unless set)"}},
      {"[limits]\ntarget = '17KiB'",
       {"F:2:10: target must not be longer than head, which contains it (8KiB and 16KiB unless set)"}},
      {"[log]\nformat = 'xml'\n[store]\nkind = 'sqlite'",
       {"F:2:10: format must be \"json\" or \"text\", not \"xml\"",
        "F:4:8: kind must be \"embedded\", \"memory\", \"redis\" or \"postgres\", not \"sqlite\""}},
      {"log = 3\nsession = []\n[[store]]",
       {"F:1:7: log must be a table, not an integer",
        "F:2:11: session must be tables with names: write [session.NAME], not an array",
        "F:3:1: store must be a table, not an array"}},
      {"[session]\nidle = '5m'",
       {"F:2:8: session must be tables with names: write [session.NAME], not a string"}},
      {"[session.'a b']", {"F:1:1: [session.a b]: a name has 1 to 64 letters, digits, - or _"}},
  });
}

TEST(Problems, Environment) {
  expect({
      {"[store]\npath = '${DIR}/state'", {}},
      {"[store]\npath = '${NOWHERE}'\n[gateway]\nsession_address = '${NOWHERE}'",
       {"F:2:8: ${NOWHERE} is not set in the environment",
        "F:4:19: ${NOWHERE} is not set in the environment"}},
      {"[gateway]\ntrusted_proxies = ['${BAD}', '${X']\nsession_address = '${BAD}'\ndrain_timeout = '${BAD}'",
       {"F:2:20: trusted_proxies \"${BAD}\": neither an IP address, nor a block such as 10.0.0.0/8, nor unix",
        "F:2:30: the } of ${NAME} is missing",
        "F:3:19: session_address \"${BAD}\": the port is missing: write host:port",
        "F:4:17: drain_timeout must be a duration such as \"250ms\", \"30s\", \"5m\" or \"24h\", not "
        "\"${BAD}\""}},
  });
}

TEST(Problems, GatewayAndAdmin) {
  expect({
      {"[gateway]\nsession_address = 'unix:/run/s'",
       {"F:2:19: session_address must be host:port: services reach it by an http:// URL"}},
      {"[gateway]\nsession_address = '0.0.0.0:9000'",
       {"F:2:19: session_address must be one address that instances can reach, not all of them"}},
      {"[gateway]\ntrusted_proxies = ['10.0.0.1/8', 7]",
       {"F:2:20: trusted_proxies \"10.0.0.1/8\": the address has bits set after the first 8",
        "F:2:34: trusted_proxies must hold strings only, not an integer"}},
      {"[admin]\naddress = '0.0.0.0:8090'",
       {"F:2:11: token_file is mandatory where other machines can reach the admin API"}},
      {"[admin]\naddress = '0.0.0.0:8090'\ntoken_file = 'none'",
       {"F:3:14: token_file \"none\": No such file or directory"}},
      {"[admin]\ntoken_file = 'empty.token'", {"F:2:14: token_file \"empty.token\": the file is empty"}},
      {"[admin]\ntoken_file = ''", {"F:2:14: token_file \"\": the path is empty"}},
      {"[admin]\ntoken_file = 'two.token'",
       {"F:2:14: token_file \"two.token\": a token is one line of visible ASCII characters without blanks"}},
      {"[admin]\ntoken_file = 'long.token'",
       {"F:2:14: token_file \"long.token\": a token has at most 4096 characters"}},
      {"[admin]\naddress = 'unix:/run/admin.sock'", {}},
      {"[admin]\naddress = '127.0.0.1:8080'", {"F:4:11: address is the one of [admin] already"}},
      {"[[listen]]\naddress = '127.0.0.1:8090'", {"F:2:11: address is the one of [admin] already"}},
      {"[[listen]]\naddress = '127.0.0.1:8080'",
       {"F:4:11: address is the one of the [[listen]] at line 1 already"}},
      {"[[listen]]\naddress = '127.0.0.1:0'\n[[listen]]\naddress = '127.0.0.1:0'", {}},
      {"[[listen]]\naddress = '8080'\n[[listen]]",
       {"F:2:11: address \"8080\": the port is missing: write host:port", "F:3:1: [[listen]] needs address"}},
  });
}

TEST(Problems, NotInThisRelease) {
  expect({
      {"[identity]\nsession = 's'\n[[issuer]]\niss = 'x'",
       {"F:1:2: identity is not in this release; remove it",
        "F:3:3: issuer is not in this release; remove it"}},
      {"[service.s]\ncommand = ['x']\n[[route]]\npath = '/s'\n"
       "service = 's'\nauth = 'required'\nscopes = ['x']\nidempotency = 'optional'",
       {"F:6:8: auth = \"required\" is not in this release; use \"off\"",
        "F:7:1: scopes is not in this release; remove it",
        "F:8:15: idempotency = \"optional\" is not in this release; use \"off\""}},
  });
}

TEST(Problems, StoresOnOtherMachines) {
  expect({
      {"[store]\nkind = 'redis'\nurl = 'redis://h'\non_outage = 'journal'\njournal = 'j'\nreplicas = 1", {}},
      {"[store]\nkind = 'redis'", {"F:2:8: kind = \"redis\" needs url"}},
      {"[store]\nkind = 'redis'\nurl = 'h:6379'",
       {"F:3:7: url: must begin with redis://, rediss:// (TLS), redis+unix://, redis+cluster:// or "
        "redis+sentinel://"}},
      {"[store]\nkind = 'postgres'\nurl = 'redis://h'\nreplicas = 1",
       {"F:3:7: url: it must begin with postgres:// or postgresql://",
        "F:4:12: replicas is for kind = \"redis\"; kind is \"postgres\""}},
      {"[store]\nurl = 'redis://h'\njournal = 'j'",
       {"F:2:7: url is for kinds \"redis\" and \"postgres\"; kind is \"embedded\"",
        "F:3:11: journal is for on_outage = \"journal\""}},
      {"[store]\nkind = 'redis'\nurl = 'redis://h'\non_outage = 'journal'\njournal = ''",
       {"F:5:11: journal must name a directory"}},
      {"[store.previous]\nkind = 'redis'\npath = 'x'",
       {"F:2:8: kind = \"redis\" needs url", "F:3:8: path is for kind = \"embedded\"; kind is \"redis\""}},
      {"[store.previous]\npath = 'old'\nsessions_max = 1",
       {"F:3:1: unknown key \"sessions_max\" in previous of [store]"}},
      {"[store]\npath = 'a'\n[store.previous]\npath = 'a'\ndurability = 'os'",
       {"F:3:1: store.previous is the same store as [store]: sessions cannot move"}},
  });
}

TEST(Problems, Tls) {
  expect({
      {"[[listen]]\naddress = '[::1]:443'\ntls = { cert = 'shop.pem', key = 'shop.key' }", {}},
      {"[[listen]]\naddress = '[::1]:443'\n[listen.tls]\ncert = 'shop.pem'\nkey = 'shop.key'", {}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = true", {"F:3:7: tls must be a table, not a boolean"}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = {}",
       {"F:3:7: tls of [[listen]] needs cert", "F:3:7: tls of [[listen]] needs key"}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = { cert = 'shop.pem' }",
       {"F:3:7: tls of [[listen]] needs key"}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = { cert = 'shop.pem', key = 'shop.key', ca = 'x' }",
       {"F:3:46: unknown key \"ca\" in tls of [[listen]]"}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = { cert = 'none.pem', key = '' }",
       {"F:3:16: cert \"none.pem\": No such file or directory", "F:3:34: key \"\": the path is empty"}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = { cert = 'shop.key', key = 'shop.key' }",
       {"F:3:16: cert \"shop.key\": holds no certificate in PEM form"}},
      {"[[listen]]\naddress = '[::1]:443'\ntls = { cert = 'shop.pem', key = 'shop.pem' }",
       {"F:3:34: key \"shop.pem\": holds no private key in PEM form"}},
  });
}

TEST(Problems, StoreAndSessions) {
  expect({
      {"[store]\nkind = 'memory'\npath = 'x'\ndurability = 'sync'",
       {"F:3:8: path is for kind = \"embedded\"; kind is \"memory\"",
        "F:4:14: kind = \"memory\" survives nothing: use durability = \"memory\" or leave it out"}},
      {"[store]\nkind = 'memory'\nmemory = '1MiB'",
       {"F:3:10: memory is for kind = \"embedded\"; kind is \"memory\""}},
      {"[store]\nmemory = '1PiB'",
       {"F:2:10: memory must be a size such as \"512\", \"64KiB\" or \"1MiB\", not \"1PiB\""}},
      {"[store]\npath = ''\nsessions_max = 0",
       {"F:2:8: path must name a directory", "F:3:16: sessions_max must be between 1 and 1000000000000"}},
      {"[session.s]\nidle = '2d'", {"F:2:8: idle must not be longer than absolute (30m and 24h unless set)"}},
      {"[session.s]\nabsolute = '10m'",
       {"F:2:12: idle must not be longer than absolute (30m and 24h unless set)"}},
      {"[session.s]\nabsolute = '10m'\nidle = '10m'", {}},
      {"[session.s]\nidle = '999ms'\ninline_max = '65KiB'\ndocument_max = '1'",
       {"F:2:8: idle must be between \"1s\" and \"3650d\"",
        "F:3:14: inline_max must be between \"0\" and \"64KiB\"",
        "F:4:16: document_max must be between \"2\" and \"64MiB\""}},
      {"[session.s]\ncookie = 'a;b'\n[session.t]\ncookie = '__Host-t'",
       {"F:2:10: cookie \"a;b\" is not a cookie name: use letters, digits, - or _",
        "F:4:10: cookie must not begin with __: the gateway puts __Host- in front where it is secure"}},
      {"[session.s]\n[session.t]\ncookie = 's'",
       {"F:3:10: [session.t] uses the cookie of [session.s]; give it another one by cookie = \"…\""}},
      {"[session.s]\noverlap = 'first'",
       {"F:2:11: overlap must be \"last\", \"refuse\" or \"again\", not \"first\""}},
  });
}

TEST(Problems, Services) {
  expect({
      {"[service.s]", {"F:1:1: [service.s] needs instances or command"}},
      {"[service.s]\ncommand = ['x']\ninstances = ['h:1']",
       {"F:2:11: command and instances exclude each other: a program to run, or fixed addresses"}},
      {"[service.s]\ninstances = ['h:1']\ncount = 3\nsocket = true",
       {"F:3:9: count needs command: only then instances are started",
        "F:4:10: socket needs command: only then instances are started"}},
      {"[service.s]\ninstances = []", {"F:2:13: instances must hold at least one address"}},
      {"[service.s]\ninstances = ['h:1', 'H:1', '0.0.0.0:1', '127.0.0.1:0',\n 'h']",
       {"F:2:21: instance \"H:1\": listed twice",
        "F:2:28: instance \"0.0.0.0:1\": this is no destination: 127.0.0.1 is this machine",
        "F:2:41: instance \"127.0.0.1:0\": port 0 is no destination",
        "F:3:2: instance \"h\": the port is missing: write host:port"}},
      {"[service.s]\ncommand = 'build/cart'",
       {"F:2:11: command must be an array of strings, not a string",
        "F:2:11: command must name a program: [\"build/cart\", \"argument\"]"}},
      {"[service.s]\ncommand = ['']\ncount = 0",
       {"F:2:11: command must name a program: [\"build/cart\", \"argument\"]",
        "F:3:9: count must be between 1 and 1000"}},
      {"[service.s]\ncommand = ['x', \"a\\u0000b\"]", {"F:2:17: an argument may not hold a NUL"}},
      {"[service.s]\ncommand = ['x']\nretry = { attempts = 0, budget = 1.5 }\ntimeout = { conect = '1s', "
       "response = '0s' }",
       {"F:3:22: attempts must be between 1 and 100", "F:3:34: budget must be between 0 and 1",
        "F:4:13: unknown key \"conect\" in timeout of [service.s]; did you mean \"connect\"?",
        "F:4:39: response must be between \"1ms\" and \"1d\""}},
      {"[service.s]\ncommand = ['x']\n[service.s.retry]\nbudget = nan",
       {"F:4:10: budget must be between 0 and 1"}},
      {"[service.s]\ncommand = ['x']\nhealth = { path = 'up', fall = 0 }",
       {"F:3:19: path \"up\" must begin with / and hold no blanks",
        "F:3:32: fall must be between 1 and 1000"}},
      {"[service.s]\ninstances = ['h:1']\ncrash_limit = 2",
       {"F:3:15: crash_limit needs command: only then instances are started"}},
      {"[service.s]\ncommand = ['x']\ncrash_limit = 0\nslow_start = '2d'\neject = { failures = -1, time = "
       "'0s' }",
       {"F:3:15: crash_limit must be between 1 and 1000",
        "F:4:14: slow_start must be between \"0ms\" and \"1d\"",
        "F:5:22: failures must be between 0 and 1000", "F:5:33: time must be between \"1ms\" and \"1d\""}},
      {"[service.s]\ncommand = ['x']\neject = { time = '10m' }", {"F:3:18: time is longer than time_max"}},
      {"[service.s]\ncommand = ['x']\neject = { time_max = '1s' }", {"F:3:22: time is longer than time_max"}},
      {"[service.s]\ncommand = ['x']\ntoken_file = 'none'",
       {"F:3:14: token_file \"none\": No such file or directory"}},
      {"service.s = 1", {"F:1:13: service must be tables with names: write [service.NAME], not an integer"}},
  });
}

TEST(Problems, Routes) {
  expect({
      {"[[route]]\nhost = 'x'", {"F:1:1: [[route]] needs path", "F:1:1: [[route]] needs service"}},
      {"[[route]]\npath = '/a'\nservice = 'wbe'\nsession = 'shop'\n[session.shpo]",
       {"F:3:11: there is no [service.wbe]; did you mean \"web\"?",
        "F:4:11: there is no [session.shop]; did you mean \"shpo\"?"}},
      {"[[route]]\npath = '/a'\nservice = ''", {"F:3:11: there is no [service.]"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\nreplay = 're-execute'",
       {"F:4:10: replay = \"re-execute\" needs a session: only what its patch does may happen twice"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\naffinity = 'header:X-A'", {}},
      {"[[route]]\npath = '/a'\nservice = 'web'\naffinity = 'path:0'",
       {"F:4:12: affinity \"path:0\": path: needs the number of a segment, 1 to 100: the first of /shop/cart "
        "is shop"}},
      {"[service.h]\ncommand = ['x']\nbalance = 'hash'\n[session.s]\n[[route]]\npath = '/a'\nservice = "
       "'h'\n[[route]]\n"
       "path = '/b'\nservice = 'h'\naffinity = 'client_ip'\n[[route]]\npath = '/c'\nservice = 'h'\nsession = "
       "'s'",
       {"F:7:11: [service.h] has balance = \"hash\", and this route no key to hash: give it affinity = "
        "\"client_ip\" or another, or a session"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\nreplay = 'reject'\nauth = 'off'\nidempotency = 'off'", {}},
      {"[[route]]\npath = '/'\nservice = 'web'",
       {"F:9:8: the route at line 1 has this path already, with the same host and method"}},
      {"[[route]]\npath = '/'\nservice = 'web'\nhost = 'A.example'\n[[route]]\npath = '/'\nservice = 'web'\n"
       "host = 'a.EXAMPLE'",
       {"F:6:8: the route at line 1 has this path already, with the same host and method"}},
      {"[[route]]\npath = '/'\nservice = 'web'\nmethods = ['GET', 'PUT']\n[[route]]\npath = '/'\nservice = "
       "'web'\n"
       "methods = ['POST']\n[[route]]\npath = '/'\nservice = 'web'\nmethods = ['PUT']",
       {"F:10:8: the route at line 1 has this path already, with the same host and method"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\nmethods = ['get', 'GET', 'GET', 'A B']",
       {"F:4:12: method \"get\": methods are upper case", "F:4:26: method \"GET\": listed twice",
        "F:4:33: method \"A B\": not a method"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\nmethods = []",
       {"F:4:11: methods must not be empty: leave it out to serve all"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\nhost = 'a.example:80'",
       {"F:4:8: host \"a.example:80\": write a name or an IP address without a port"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\nhost = '*.example'",
       {"F:4:8: host \"*.example\": the host is neither an IP address nor a name"}},
      {"[[route]]\npath = '/a'\nservice = 'web'\norigins = ['*', 'https://a.example/x', 'ws://a', "
       "'https://h:0']",
       {"F:4:12: origin \"*\" must be http:// or https://, a host and perhaps a port",
        "F:4:17: origin \"https://a.example/x\" must be http:// or https://, a host and perhaps a port",
        "F:4:40: origin \"ws://a\" must be http:// or https://, a host and perhaps a port",
        "F:4:50: origin \"https://h:0\" must be http:// or https://, a host and perhaps a port"}},
  });
}

TEST(Problems, SessionsInTheMemoryOfAnInstance) {
  const std::string two =
      "[session.s]\nplacement = 'instance'\n[service.b]\ncommand = ['x']\n[[route]]\npath = '/a'\n"
      "service = 'web'\nsession = 's'\n[[route]]\npath = '/b'\nservice = ";
  expect({
      {(two + "'web'\nsession = 's'").c_str(), {}},
      {(two + "'b'\nsession = 's'").c_str(),
       {"F:12:11: [session.s] lives in the memory of one instance of [service.web]; give the routes of "
        "[service.b] another session"}},
      {"[service.far]\ntoken_file = 'shop.token'\ninstances = ['10.0.0.1:80']\n[[route]]\npath = '/s'\n"
       "service = 'far'\nsession = 's'\n[session.s]\nplacement = 'instance'",
       {}},  // no session URL is given out
      {"[session.s]\nplacement = 'instance'\non_lost_instance = 'wait'",
       {"F:3:20: on_lost_instance must be \"renew\" or \"fail\", not \"wait\""}},
      {"[gateway]\nkey_file = ''", {"F:2:12: key_file must name a file"}},
  });
}

TEST(Problems, PathsThatNoRequestCanHave) {
  struct Path {
    const char* path;
    const char* why;
  };
  for (const Path& row : std::initializer_list<Path>{
           {"", "a path begins with /"},
           {"shop", "a path begins with /"},
           {"/shop/", "a path covers everything below it: leave out the / or /* at its end"},
           {"/shop/*", "a path covers everything below it: leave out the / or /* at its end"},
           {"/a b", "what cannot stand in the path of a URL is written %XX"},
           {"/é", "what cannot stand in the path of a URL is written %XX"},
           {"/a?b", "what cannot stand in the path of a URL is written %XX"},
           {"/a%zz", "no request with such a path is served"},
           {"/a%00", "no request with such a path is served"},
           {"/a/../b", "requests are matched in the normal form of RFC 3986 §6.2.2, this is another"},
           {"/a/%2e%2e/b", "requests are matched in the normal form of RFC 3986 §6.2.2, this is another"},
           {"/%7Eme", "requests are matched in the normal form of RFC 3986 §6.2.2, this is another"},
           {"/%c3%a9", "requests are matched in the normal form of RFC 3986 §6.2.2, this is another"},
       })
    EXPECT_THAT(problem_lines("[[route]]\nservice = 'web'\npath = '" + std::string(row.path) + "'" +
                              std::string(kRest)),
                testing::ElementsAre("F:3:8: path \"" + std::string(row.path) + "\": " + row.why));
  for (const char* good : {"/shop", "/shop/v1.0", "/%C3%A9", "/~me", "/a%2Fb", "/@x:y"})
    EXPECT_THAT(
        problem_lines("[[route]]\nservice = 'web'\npath = '" + std::string(good) + "'" + std::string(kRest)),
        testing::IsEmpty())
        << good;
}

TEST(Problems, RemoteInstancesNeedASessionAddress) {
  const std::string service =
      "[service.s]\ntoken_file = 'shop.token'\ninstances = ['10.0.0.1:80']\n[[route]]\n"
      "path = '/s'\nservice = 's'\n";
  expect({
      {service.c_str(), {}},
      {(service + "session = 's'\n[session.s]").c_str(),
       {"F:3:13: [service.s] has instances on other machines: set gateway.session_address to an address of "
        "this machine "
        "that they can reach"}},
      {(service + "session = 's'\n[session.s]\n[gateway]\nsession_address = '10.0.0.2:0'").c_str(), {}},
  });
}

TEST(Problems, NothingToServe) {
  EXPECT_THAT(problem_lines(""),
              testing::ElementsAre("F:1:1: no [[listen]]: add one with address = \"127.0.0.1:8080\"",
                                   "F:1:1: no [[route]]: nothing would be served",
                                   "F:1:1: no [service.NAME]: there is nothing to forward to"));
}

}  // namespace
}  // namespace stateway::config
