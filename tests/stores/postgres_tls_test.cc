#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/sim/certificates.h"
#include "postgres_gateway.h"

namespace stateway::stores {
namespace {

using testing::HasSubstr;

class PostgresTls : public testing::Test {
 protected:
  void SetUp() override {
    const io::TestCertificate server = authority_.issue({"localhost"});
    give_to_server("server.crt", server.certificate);
    give_to_server("server.key", server.key);
    sql("alter system set ssl = on");
    sql("select pg_reload_conf()");
    std::ofstream(ca_file()) << authority_.certificate();
  }
  static std::string sql(const std::string& text) { return shared_postgres().sql("postgres", text); }
  // Into its data folder, where it expects them, as its own user.
  static void give_to_server(const std::string& name, const std::string& pem) {
    sql("copy (select unnest(string_to_array('" + pem + "', E'\\n'))) to program 'umask 077; cat > " + name +
        "'");
  }
  std::string ca_file() const { return folder_.path() + "/ca.pem"; }
  store::StoreOptions options(const std::string& host, const std::string& more = "") {
    auto out = postgres_options("postgres://ann:s3cret%2Fof%3Aann@" + host + ":" +
                                std::to_string(shared_postgres().port()) + "/" + database_ +
                                "?hostaddr=127.0.0.1" + more);
    out.ca_file = ca_file();
    return out;
  }
  std::string told(const store::StoreOptions& of) {
    auto store = store::postgres::PostgresStore::make(of, clock_).value();
    const auto checked = store->check();
    return checked ? "nothing" : checked.error().context;
  }

  io::TestAuthority authority_;
  store::TemporaryDirectory folder_;
  std::string database_ = shared_database();
  SystemClock clock_;
};

TEST_F(PostgresTls, CarriesLargeDocumentsOfManyAtOnce) {
  PostgresGateway gateway(options("localhost"));
  const std::string large(1u << 20, 'x');
  std::vector<std::future<Result<std::optional<store::Record>>>> loading;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(gateway.put("k" + std::to_string(i), 1, large + std::to_string(i)));
  for (int i = 0; i < 8; ++i)
    loading.push_back(gateway.loop().start(
        [&gateway, i](io::Loop& loop) { return gateway.store().load(loop, "k" + std::to_string(i)); }));
  for (int i = 0; i < 8; ++i) {
    const auto loaded = store::LoopThread::get(std::move(loading[static_cast<std::size_t>(i)]));
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_TRUE((*loaded)->value == large + std::to_string(i));
  }
  EXPECT_EQ(sql("select count(*) > 1 and bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid)"
                " where datname = '" +
                database_ + "'"),
            "t");
}

TEST_F(PostgresTls, ChecksWhoAnswers) {
  EXPECT_EQ(told(options("localhost")), "nothing");
  EXPECT_THAT(told(options("elsewhere")),
              HasSubstr("server certificate for \"localhost\" does not match host name \"elsewhere\""));
  EXPECT_EQ(told(options("elsewhere", "&sslmode=verify-ca")), "nothing");
  std::ofstream(ca_file()) << io::TestAuthority("Another one").certificate();
  EXPECT_THAT(told(options("localhost")), HasSubstr("certificate verify failed"));
}

}  // namespace
}  // namespace stateway::stores
