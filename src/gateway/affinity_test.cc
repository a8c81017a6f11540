#include "gateway/affinity.h"

#include <gtest/gtest.h>

namespace stateway::gateway {
namespace {

TEST(AffinityKey, PathSegments) {
  const struct {
    std::string_view path;
    unsigned number;
    std::string_view segment;
  } table[] = {
      {"/", 1, ""},
      {"/shop", 1, "shop"},
      {"/shop/cart", 1, "shop"},
      {"/shop/cart", 2, "cart"},
      {"/shop/cart", 3, ""},
      {"/shop/cart/", 3, ""},
      {"//cart", 1, ""},
      {"//cart", 2, "cart"},
      {"*", 1, ""},
      {"/shop/a%20b", 2, "a%20b"},
  };
  for (const auto& row : table)
    EXPECT_EQ(path_segment(row.path, row.number), row.segment) << row.path << row.number;
}

TEST(AffinityKey, QueryValues) {
  const struct {
    std::string_view query, value;
  } table[] = {
      {"", ""},
      {"?", ""},
      {"?id=7", "7"},
      {"?a=1&id=7&id=8", "7"},
      {"?id", ""},
      {"?id=&id=8", ""},
      {"?xid=7", ""},
      {"?id=a%20b", "a%20b"},
      {"?idx=1&id=2", "2"},
      {"?&&id=x=y", "x=y"},
  };
  for (const auto& row : table) EXPECT_EQ(query_value(row.query, "id"), row.value) << row.query;
}

TEST(AffinityKey, TheClientIsTheLastOneThatNobodyTrustedVouchesFor) {
  Snapshot config{.routes = route::Table({})};
  for (const char* network : {"10.0.0.0/8", "unix"})
    config.gateway.trusted_proxies.push_back(PeerNetwork::parse(network).value());
  const struct {
    std::string_view peer, name, value, client;
  } table[] = {
      {"192.0.2.1", "X-Forwarded-For", "198.51.100.7", "192.0.2.1"},
      {"10.0.0.1", "X-Forwarded-For", "198.51.100.7", "198.51.100.7"},
      {"10.0.0.1", "X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.1.1.1", "198.51.100.7"},
      {"10.0.0.1", "X-Forwarded-For", "10.2.2.2, 10.1.1.1", "10.2.2.2"},
      {"10.0.0.1", "Forwarded", "for=203.0.113.9, for=\"198.51.100.7:99\", for=10.1.1.1", "198.51.100.7"},
      {"10.0.0.1", "Accept", "x", "10.0.0.1"},
      {"unix", "X-Forwarded-For", "2001:db8::1", "2001:db8::1"},
  };
  for (const auto& row : table) {
    http::Fields fields;
    fields.add(row.name, row.value);
    EXPECT_EQ(client_address(fields, row.peer, config), row.client) << row.peer << " " << row.value;
  }
}

}  // namespace
}  // namespace stateway::gateway
