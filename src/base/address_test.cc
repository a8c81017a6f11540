#include "base/address.h"

#include <gtest/gtest.h>

#include "base/peer_network.h"

namespace stateway {
namespace {

TEST(ParseAddress, ReadsWhatAnOperatorWrites) {
  struct Row {
    const char* text;
    Address::Kind kind;
    const char* host;
    std::uint16_t port;
    const char* path;
  };
  const auto tcp = Address::Kind::tcp;
  for (const Row& row : std::initializer_list<Row>{
           {"127.0.0.1:8080", tcp, "127.0.0.1", 8080, ""},
           {"0.0.0.0:0", tcp, "0.0.0.0", 0, ""},
           {"[::1]:8080", tcp, "::1", 8080, ""},
           {"[2001:DB8:0::7]:65535", tcp, "2001:db8::7", 65535, ""},
           {"Shop.Example:80", tcp, "shop.example", 80, ""},
           {"cart_1:9001", tcp, "cart_1", 9001, ""},
           {"1and1.de:80", tcp, "1and1.de", 80, ""},
           {"unix:/run/shop.sock", Address::Kind::unix_socket, "", 0, "/run/shop.sock"},
           {"unix:run/a b.sock", Address::Kind::unix_socket, "", 0, "run/a b.sock"},
       }) {
    const Result<Address> address = parse_address(row.text);
    ASSERT_TRUE(address) << row.text << ": " << address.error().context;
    EXPECT_EQ(address->kind, row.kind) << row.text;
    EXPECT_EQ(address->host, row.host) << row.text;
    EXPECT_EQ(address->port, row.port) << row.text;
    EXPECT_EQ(address->path, row.path) << row.text;
    EXPECT_EQ(parse_address(to_string(*address)).value(), *address) << row.text;
  }
}

TEST(ParseAddress, SaysWhatIsWrong) {
  struct Row {
    std::string text;
    const char* context;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"", "the port is missing: write host:port"},
           {"8080", "the port is missing: write host:port"},
           {"[::1]", "the port is missing: write host:port"},
           {"[::1]8080", "the port is missing: write host:port"},
           {"[::1:8080", "the closing bracket is missing"},
           {"::1:8080", "an IPv6 address needs brackets: [::1]:8080"},
           {":8080", "the host is missing: 0.0.0.0 stands for every interface"},
           {"h:", "the port must be a number from 0 to 65535"},
           {"h:65536", "the port must be a number from 0 to 65535"},
           {"h:+80", "the port must be a number from 0 to 65535"},
           {"h:000080", "the port must be a number from 0 to 65535"},
           {"h:80/", "the port must be a number from 0 to 65535"},
           {"http://h:80", "an address is host:port, not a URL"},
           {"/run/x.sock", "a unix socket is written unix:/path"},
           {"[127.0.0.1]:80", "what stands in the brackets is not an IPv6 address"},
           {"[fe80::1%eth0]:80", "what stands in the brackets is not an IPv6 address"},
           {"127.0.0.256:80", "the host is neither an IP address nor a name"},
           {"127.1:80", "the host is neither an IP address nor a name"},
           {"-a.b:80", "the host is neither an IP address nor a name"},
           {"a..b:80", "the host is neither an IP address nor a name"},
           {"a b:80", "the host is neither an IP address nor a name"},
           {std::string("127.0.0.1\0:80", 13), "the host is neither an IP address nor a name"},
           {std::string(64, 'a') + ":80", "the host is neither an IP address nor a name"},
           {"unix:", "a path must follow unix:"},
           {"unix:/" + std::string(107, 'x'), "the path of a unix socket may have at most 107 characters"},
           {std::string("unix:/a\0b", 9), "the path of a unix socket may not hold a NUL"},
       }) {
    const Result<Address> address = parse_address(row.text);
    ASSERT_FALSE(address) << row.text;
    EXPECT_EQ(address.error().context, row.context) << row.text;
    EXPECT_EQ(address.error().code, Code::invalid_argument);
  }
}

TEST(Address, KnowsWhatStaysOnTheMachine) {
  for (const char* local : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1",
                            "LOCALHOST:1", "shop.localhost:1", "unix:/x"})
    EXPECT_TRUE(is_local(parse_address(local).value())) << local;
  for (const char* remote : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "[::2]:1", "shop:1",
                             "localhost.example:1", "notlocalhost:1"})
    EXPECT_FALSE(is_local(parse_address(remote).value())) << remote;
  EXPECT_TRUE(is_wildcard(parse_address("0.0.0.0:1").value()));
  EXPECT_TRUE(is_wildcard(parse_address("[0::0]:1").value()));
  EXPECT_FALSE(is_wildcard(parse_address("127.0.0.1:1").value()));
}

TEST(PeerNetwork, ContainsItsBlockOnly) {
  struct Row {
    const char* network;
    const char* peer;
    bool inside;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"10.0.0.0/8", "10.255.1.2", true},
           {"10.0.0.0/8", "11.0.0.0", false},
           {"10.0.0.0/8", "::ffff:10.1.2.3", true},
           {"10.0.0.0/8", "::10.1.2.3", false},
           {"192.0.2.128/25", "192.0.2.128", true},
           {"192.0.2.128/25", "192.0.2.127", false},
           {"192.0.2.7", "192.0.2.7", true},
           {"192.0.2.7", "192.0.2.6", false},
           {"0.0.0.0/0", "203.0.113.9", true},
           {"0.0.0.0/0", "2001:db8::1", false},
           {"::/0", "2001:db8::1", true},
           {"::/0", "10.0.0.1", false},
           {"2001:db8::/33", "2001:db8:7fff::", true},
           {"2001:db8::/33", "2001:db8:8000::", false},
           {"::1", "::1", true},
           {"::1", "127.0.0.1", false},
           {"::ffff:10.0.0.0/104", "10.9.9.9", true},
           {"::ffff:10.0.0.0/104", "11.0.0.0", false},
           {"unix", "unix", true},
           {"unix", "127.0.0.1", false},
           {"0.0.0.0/0", "unix", false},
           {"0.0.0.0/0", "", false},
           {"0.0.0.0/0", "1.2.3.4:80", false},
           {"0.0.0.0/0", "1.2.3", false},
       }) {
    const Result<PeerNetwork> network = PeerNetwork::parse(row.network);
    ASSERT_TRUE(network) << row.network << ": " << network.error().context;
    EXPECT_EQ(network->contains(row.peer), row.inside) << row.network << " " << row.peer;
    EXPECT_TRUE(PeerNetwork::parse(network->text()).value() == *network) << row.network;
  }
  EXPECT_EQ(PeerNetwork::parse("2001:DB8:0:0::/32")->text(), "2001:db8::/32");
}

TEST(PeerNetwork, RefusesWhatIsNoBlock) {
  for (const char* bad : {"", "shop", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8",
                          "::/129", "10.0.0.1/8", "2001:db8::1/64", "UNIX", "10.0.0.0 /8", "[::1]", "/8"})
    EXPECT_FALSE(PeerNetwork::parse(bad)) << bad;
  EXPECT_EQ(PeerNetwork::parse("10.0.0.1/8").error().context, "the address has bits set after the first 8");
}

}  // namespace
}  // namespace stateway
