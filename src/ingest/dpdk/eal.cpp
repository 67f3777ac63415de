// DPDK talks in three ways: through its log, through messages written to stderr before and beside
// it (rte_eal_init_alert), and by printing its usage to stdout. The log goes to a stream of ours
// that remembers the first complaint; around rte_eal_init() the other two go to a memory file.
#include <cstdio>
#include <mutex>
#include <sched.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include <wirelag/ingest/dpdk/eal.hpp>

namespace wirelag {
namespace {

constexpr std::string_view kProgram = "wirelag";

/// Where DPDK's log goes. One per process, as DPDK's log is.
struct LogMemory {
  std::mutex mutex;
  std::string complaint;
  bool verbose = false;
};

LogMemory& log_memory() {
  static LogMemory memory;
  return memory;
}

std::string_view trimmed(std::string_view text) {
  const std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Without the names of DPDK's own parts: "EAL: what", "some_function(): what" -> "what".
std::string_view message_of(std::string_view line) {
  line = trimmed(line);
  const std::size_t end = line.find(": ");
  if (end == line.npos || line.substr(0, end).find(' ') != line.npos) return line;
  return trimmed(line.substr(end + 2));
}

ssize_t write_log(void*, const char* text, std::size_t length) {
  LogMemory& memory = log_memory();
  const std::scoped_lock lock(memory.mutex);
  if (memory.verbose) std::fwrite(text, 1, length, stderr);
  if (memory.complaint.empty()) memory.complaint = message_of({text, length});
  return static_cast<ssize_t>(length);
}

void take_over_log(bool verbose) {
  log_memory().verbose = verbose;
  if (!verbose) rte_log_set_global_level(RTE_LOG_WARNING);
  static std::FILE* const stream =
      fopencookie(nullptr, "w", cookie_io_functions_t{nullptr, write_log, nullptr, nullptr});
  if (stream != nullptr) rte_openlog_stream(stream);
}

/// Stdout and stderr go into a file in memory while this object lives.
class OutputCapture {
 public:
  OutputCapture() : file_(memfd_create("dpdk-output", MFD_CLOEXEC)) {
    if (file_ < 0) return;
    for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      std::fflush(fd == STDOUT_FILENO ? stdout : stderr);
      saved_[fd] = dup(fd);
      dup2(file_, fd);
    }
  }
  ~OutputCapture() { (void)finish(); }
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;

  /// Puts the outputs back and returns what was written.
  std::string finish() {
    if (file_ < 0) return {};
    std::fflush(stdout);
    std::fflush(stderr);
    for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      dup2(saved_[fd], fd);
      close(saved_[fd]);
    }
    std::string text(static_cast<std::size_t>(lseek(file_, 0, SEEK_END)), '\0');
    if (pread(file_, text.data(), text.size(), 0) < 0) text.clear();
    close(file_);
    file_ = -1;
    return text;
  }

 private:
  int file_;
  int saved_[3] = {-1, -1, -1};
};

/// Why rte_eal_init() failed: its alert ("EAL: FATAL: ..."), and what was wrong in particular: what
/// getopt printed under the program's name, or else the first complaint in the log.
std::string failure_of(std::string_view printed) {
  const auto line_after = [printed](std::string_view prefix) -> std::string_view {
    const std::size_t at = printed.find(prefix);
    if (at == printed.npos) return {};
    const std::string_view rest = printed.substr(at + prefix.size());
    return trimmed(rest.substr(0, rest.find('\n')));
  };
  std::string alert(line_after("EAL: FATAL: "));
  if (alert.ends_with('.')) alert.pop_back();
  if (alert.find("hugepage") != alert.npos) {
    return alert + ": reserve some (scripts/hugepages 2048), or do without (eal.hugepages = false)";
  }
  std::string detail(line_after(fmt::format("{}: ", kProgram)));
  const std::string complaint = Eal::take_complaint();
  if (detail.empty()) detail = complaint;
  if (alert.empty() && detail.empty()) return rte_strerror(rte_errno);
  if (alert.empty() || detail.empty()) return alert + detail;
  return fmt::format("{} ({})", alert, detail);
}

}  // namespace

std::vector<std::string> desk_eal_arguments(std::size_t lcores, std::size_t memory_mib) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &allowed)) cores.push_back(core);
    }
  }
  if (cores.empty()) cores.push_back(0);
  return {
      "--no-huge",
      "--no-shconf",
      "--no-pci",
      "--no-telemetry",
      "-m",
      std::to_string(memory_mib),
      fmt::format("--file-prefix=wirelag-{}", getpid()),
      "--lcores",
      fmt::format("(0-{})@({})", lcores > 0 ? lcores - 1 : 0, fmt::join(cores, ",")),
  };
}

struct Eal::State {
  std::vector<unsigned> workers;
  std::vector<std::function<void()>> work = std::vector<std::function<void()>>(RTE_MAX_LCORE);
};

Result<Eal> Eal::start(const std::vector<std::string>& arguments, bool verbose) {
  take_over_log(verbose);

  std::vector<std::string> words = {std::string(kProgram)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  OutputCapture output;
  const int rc = rte_eal_init(static_cast<int>(words.size()), argv.data());
  const std::string printed = output.finish();
  if (rc < 0) {
    return Error{fmt::format("DPDK does not start: {}; EAL's arguments were: {}",
                             failure_of(printed), fmt::join(arguments, " "))};
  }

  auto state = std::make_unique<State>();
  unsigned lcore = 0;
  RTE_LCORE_FOREACH_WORKER(lcore) { state->workers.push_back(lcore); }
  return Eal(std::move(state));
}

Eal::Eal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Eal::Eal(Eal&& other) noexcept = default;

Eal::~Eal() {
  if (state_ == nullptr) return;
  wait();
  rte_eal_cleanup();
}

const std::vector<unsigned>& Eal::worker_lcores() const { return state_->workers; }

Status Eal::launch(unsigned lcore, std::function<void()> work) {
  if (lcore >= RTE_MAX_LCORE || rte_lcore_is_enabled(lcore) == 0 || lcore == rte_get_main_lcore()) {
    return Error{fmt::format("lcore {} is not a worker: give EAL more --lcores", lcore)};
  }
  if (rte_eal_get_lcore_state(lcore) != WAIT) {
    return Error{fmt::format("lcore {} is already running something", lcore)};
  }
  state_->work[lcore] = std::move(work);
  const auto run = [](void* argument) {
    (*static_cast<std::function<void()>*>(argument))();
    return 0;
  };
  if (const int rc = rte_eal_remote_launch(run, &state_->work[lcore], lcore); rc != 0) {
    return Error{fmt::format("lcore {} does not start: {}", lcore, rte_strerror(-rc))};
  }
  return Done{};
}

void Eal::wait() { rte_eal_mp_wait_lcore(); }

std::string Eal::take_complaint() {
  LogMemory& memory = log_memory();
  const std::scoped_lock lock(memory.mutex);
  return std::exchange(memory.complaint, {});
}

}  // namespace wirelag
