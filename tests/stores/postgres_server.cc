#include "postgres_server.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "wait.h"

namespace stateway::stores {
namespace {

// The server refuses to run as root; Debian's package brings a user for it.
constexpr const char* kOwner = "postgres";

std::string program(const std::string& name) {
  for (const char* version : {"17", "16", "15", "14"}) {  // Debian keeps them out of PATH
    std::string path = std::string("/usr/lib/postgresql/") + version + "/bin/" + name;
    if (std::filesystem::exists(path)) return path;
  }
  return name;
}

std::vector<std::string> as_owner(std::vector<std::string> words) {
  if (geteuid() != 0) return words;
  // A change of user forgets the signal that ends it with us, so that is asked for again.
  std::vector<std::string> out{"setpriv", "--reuid",       kOwner,        "--regid",
                               kOwner,    "--init-groups", "--pdeathsig", "KILL"};
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

struct Close {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Close>;

Connection connect(const std::string& folder, std::uint16_t port, const std::string& database) {
  const std::string number = std::to_string(port);
  const char* keywords[] = {"host", "port", "user", "dbname", nullptr};
  const char* values[] = {folder.c_str(), number.c_str(), PostgresServer::kUser, database.c_str(), nullptr};
  return Connection(PQconnectdbParams(keywords, values, 0));
}

}  // namespace

PostgresServer::PostgresServer(Settings settings) : settings_(std::move(settings)) {
  make_cluster();
  start();
}

PostgresServer::PostgresServer(StandbyOf of) {
  give_folder_to_owner();
  run_as_owner({program("pg_basebackup"), "-h", of.primary.folder(), "-p", std::to_string(of.primary.port()),
                "-U", kUser, "-D", folder() + "/data", "--write-recovery-conf", "--checkpoint=fast",
                "--no-sync"});
  start();
}

// "Immediate": as quick as SIGKILL, but it gives its shared memory back to the system.
PostgresServer::~PostgresServer() {
  if (!running()) return;
  for (const pid_t pid : processes()) ::kill(pid, SIGCONT);
  process_->signal(SIGQUIT);
  if (const auto ended = process_->wait(10s); ended) return;
  try {
    kill();
  } catch (const std::exception&) {
  }
}

void PostgresServer::give_folder_to_owner() const {
  if (geteuid() != 0) return;
  const passwd* const owner = getpwnam(kOwner);
  if (owner == nullptr) throw std::runtime_error("no user postgres (tools/setup test installs PostgreSQL)");
  if (chown(folder().c_str(), owner->pw_uid, owner->pw_gid) != 0)
    throw std::runtime_error("cannot give " + folder() + " to the user postgres");
}

void PostgresServer::make_cluster() {
  give_folder_to_owner();
  const std::string password_file = folder() + "/password";
  std::ofstream(password_file) << kPassword << "\n";
  std::filesystem::permissions(password_file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  run_as_owner({program("initdb"), "-D", folder() + "/data", "-U", kUser, "--pwfile=" + password_file,
                "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--encoding=UTF8",
                "--locale=C"});
}

void PostgresServer::run_as_owner(std::vector<std::string> words) {
  const std::string what = words.front();
  auto started = lab::Program::start({.words = as_owner(std::move(words)), .output_file = folder() + "/log"});
  if (!started) throw std::runtime_error(started.error().context + " (tools/setup test installs it)");
  const auto ended = (*started)->wait(60s);
  if (!ended || ended->status != 0) throw std::runtime_error(what + " failed:\n" + log());
}

std::string PostgresServer::url(std::string_view database) const {
  return url_of(std::string(kUser) + ":s3cret%2Fof%3Aann", database);
}

std::string PostgresServer::url_of(std::string_view user_and_password, std::string_view database) const {
  std::string out = "postgres://";
  out.append(user_and_password).append("@127.0.0.1:").append(std::to_string(port())).append("/");
  return out.append(database);
}

std::string PostgresServer::new_database(const std::string& of) {
  std::string name = "test" + std::to_string(++databases_);
  sql("postgres", "create database " + name + " template " + of + " strategy file_copy");
  return name;
}

std::string PostgresServer::sql(const std::string& database, const std::string& statements) const {
  const Connection connection = connect(folder(), port(), database);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  const std::unique_ptr<PGresult, Close> result(PQexec(connection.get(), statements.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(statements + ": " + PQerrorMessage(connection.get()));
  const int rows = PQntuples(result.get());
  return rows == 0 ? "" : PQgetvalue(result.get(), rows - 1, 0);
}

void PostgresServer::start() {
  if (running()) throw std::runtime_error("it runs already");
  const auto start_one = [this] {
    std::vector<std::string> words{program("postgres"), "-D", folder() + "/data"};
    const Settings own{"port=" + std::to_string(port()),
                       "listen_addresses=127.0.0.1",
                       "unix_socket_directories=" + folder(),
                       "fsync=off",
                       "shared_buffers=16MB",
                       "max_connections=100",
                       "wal_sync_method=fdatasync"};
    for (const Settings& settings : {own, settings_})
      for (const std::string& setting : settings) words.insert(words.end(), {"-c", setting});
    auto started = lab::Program::start({.words = as_owner(words), .output_file = folder() + "/log"});
    if (!started) throw std::runtime_error(started.error().context + " (tools/setup test installs it)");
    process_ = std::move(*started);
  };
  start_one();
  int starts = 1;
  const auto ready = [&] {
    if (answers()) return true;
    // One that was killed may be held up by the last of its predecessor's processes.
    if (!running() && starts++ > 50) throw std::runtime_error("postgres ended:\n" + log());
    if (!running()) start_one();
    return false;
  };
  wait_until("postgres answers", ready, 60s);
}

bool PostgresServer::answers() const {
  return PQstatus(connect(folder(), port(), "postgres").get()) == CONNECTION_OK;
}

void PostgresServer::stop() {
  if (!running()) return;
  thaw();
  process_->signal(SIGINT);
  if (!process_->wait(30s)) throw std::runtime_error("postgres does not stop:\n" + log());
}

// Its backends are sessions of their own, so no process group has them.
std::vector<pid_t> PostgresServer::processes() const {
  std::vector<pid_t> out{process_->pid()};
  const std::string id = std::to_string(process_->pid());
  std::istringstream children(lab::read_file("/proc/" + id + "/task/" + id + "/children"));
  for (pid_t child = 0; children >> child;) out.push_back(child);
  return out;
}

void PostgresServer::kill() {
  if (!running()) return;
  process_->signal(SIGSTOP);  // nobody is born meanwhile
  const std::vector<pid_t> all = processes();
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  if (!process_->wait(30s)) throw std::runtime_error("postgres outlives SIGKILL");
  const auto gone = [&all] {
    for (const pid_t pid : all)
      if (::kill(pid, 0) == 0 && !lab::read_file("/proc/" + std::to_string(pid) + "/cmdline").empty())
        return false;
    return true;
  };
  wait_until("the end of postgres's processes", gone);
}

void PostgresServer::freeze() {
  process_->signal(SIGSTOP);
  for (const pid_t pid : processes()) ::kill(pid, SIGSTOP);
}

void PostgresServer::thaw() {
  for (const pid_t pid : processes()) ::kill(pid, SIGCONT);
}

void PostgresServer::promote() { sql("postgres", "select pg_promote()"); }

std::string PostgresServer::log() const { return lab::read_file(folder() + "/log"); }

PostgresServer& shared_postgres() {
  static PostgresServer server;
  return server;
}

}  // namespace stateway::stores
