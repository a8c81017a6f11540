// Certificates for tests, signed by an authority that nobody else knows.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace stateway::io {

/// In PEM form.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "Authority of a test");
  ~TestAuthority();

  /// The authority's own certificate.
  std::string certificate() const;
  /// For DNS names and IP addresses, at either end of a connection; valid for `days` from yesterday: with
  /// less than one it has run out.
  TestCertificate issue(const std::vector<std::string>& names, int days = 30) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stateway::io
