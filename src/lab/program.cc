#include "lab/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/bytes.h"
#include "io/exec_image.h"

namespace stateway::lab {
Result<std::unique_ptr<Program>> Program::start(const Setup& setup) {
  io::ExecImage image(setup.words, setup.environment);
  const int output = open(setup.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int report[2];  // a failed exec writes errno; a good one closes it
  if (output < 0 || pipe2(report, O_CLOEXEC) != 0) return fail(Code::io, Side::self, std::strerror(errno));

  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    image.become(output, report[1]);
  }
  close(output);
  close(report[1]);
  int error = pid < 0 ? errno : 0;
  if (pid > 0 && read(report[0], &error, sizeof error) <= 0) error = 0;
  close(report[0]);
  if (error == 0) return std::unique_ptr<Program>(new Program(pid));
  if (pid > 0) waitpid(pid, nullptr, 0);
  return fail(Code::invalid_argument, Side::self,
              "cannot start '" + setup.words.front() + "': " + std::strerror(error));
}

Program::~Program() {
  signal(SIGKILL);
  while (!reaped_ && !try_reap()) {
    pollfd nothing{};
    poll(&nothing, 0, 1);
  }
}

void Program::signal(int number) const {
  if (!reaped_) kill(pid_, number);
}

bool Program::try_reap() {
  if (reaped_) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  reaped_ = true;
  if (WIFSIGNALED(status))
    exit_.signal = WTERMSIG(status);
  else
    exit_.status = WEXITSTATUS(status);
  return true;
}

bool Program::running() { return !try_reap(); }

Result<io::Exit> Program::wait(Duration limit) {
  if (try_reap()) return exit_;
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd < 0) return fail(Code::io, Side::self, std::strerror(errno));
  pollfd ended{.fd = pidfd, .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  const int n = poll(&ended, 1, static_cast<int>(ms));
  close(pidfd);
  if (n <= 0 || !try_reap()) return fail(Code::timeout, Side::self, "the process did not end in time");
  return exit_;
}

std::string read_file(const std::string& path) {
  // By the stream and not its buffer, which throws when a read fails, as of a process that just ended.
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

std::vector<pid_t> processes_with(std::string_view entry) {
  std::vector<pid_t> out;
  std::error_code ignored;  // processes come and go while we look
  for (const auto& folder : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto pid = parse_decimal(folder.path().filename().string());
    if (!pid) continue;
    std::string environment = read_file(folder.path() / "environ");  // a zombie has none
    environment.insert(environment.begin(), '\0');
    const std::string wanted = std::string(1, '\0').append(entry).append(1, '\0');
    if (environment.find(wanted) != std::string::npos) out.push_back(static_cast<pid_t>(*pid));
  }
  return out;
}

}  // namespace stateway::lab
