// lab-relay: the path between two hosts of the lab, packet by packet: distance, bottleneck, queue and
// loss in either direction, and a tap at one of its ends.
//
//   namespace of the client                              namespace of the server
//     TUN device ====> tap? ==> loss, queue, rate, delay ==> tap? ====> TUN device
//                <====      <==                          <==      <====
//
// It relays IP packets as they are, so handshakes, slow start and losses are those of the kernels at
// both ends; a relay that ended TCP connections would hide them. Writes "ready" to stdout when
// both devices are attached; ends with SIGTERM or SIGINT. Rests when there is nothing to do.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <map>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <system_error>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "capture.hpp"
#include "link.hpp"
#include "loss.hpp"

namespace wirelag::lab {
namespace {

constexpr std::size_t kLargestPacket = 65536;
constexpr int kPacketsPerTurn = 64;

volatile std::sig_atomic_t stopped = 0;
void stop(int /*signal*/) { stopped = 1; }

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A file descriptor that is closed at the end.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC)) {  // NOLINT(*-vararg)
    if (fd_ < 0) fail(path);
  }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// A TUN device that exists in another network namespace. The descriptor works from everywhere.
class Tun {
 public:
  Tun(const std::string& name_space, const std::string& device)
      : Tun(device, Descriptor("/proc/self/ns/net", O_RDONLY),
            Descriptor("/run/netns/" + name_space, O_RDONLY)) {}

  [[nodiscard]] int get() const { return fd_.get(); }

  /// Bytes of the next packet, 0 when there is none.
  std::size_t read(std::span<std::uint8_t> into) {
    const ssize_t n = ::read(fd_.get(), into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EAGAIN && errno != EINTR) fail("reading from the TUN device");
    return 0;
  }
  void write(Bytes packet) {
    if (::write(fd_.get(), packet.data(), packet.size()) < 0 && errno != EAGAIN) {
      fail("writing to the TUN device");
    }
  }

 private:
  Tun(const std::string& device, const Descriptor& home, const Descriptor& other)
      : fd_((enter(other), "/dev/net/tun"), O_RDWR | O_NONBLOCK) {
    ifreq request{};
    std::strncpy(request.ifr_name, device.c_str(), IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (ioctl(fd_.get(), TUNSETIFF, &request) < 0) fail("TUN device " + device);
    enter(home);
  }
  static void enter(const Descriptor& name_space) {
    if (setns(name_space.get(), CLONE_NEWNET) < 0) fail("setns");
  }

  Descriptor fd_;
};

struct Options {
  std::string client = "client";
  std::string server = "server";
  std::string device = "lab0";
  std::string capture;
  bool tap_at_server = false;
  LinkSettings to_server;
  LinkSettings to_client;
  std::map<std::uint32_t, DurationNs> farther;  ///< by the server's address, each way
  std::vector<Loss> losses;
};

TimeNs now_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t.tv_sec * kSecondNs + t.tv_nsec;
}

class Relay {
 public:
  explicit Relay(const Options& o)
      : options_(o),
        capture_(o.capture),
        ends_{Tun(o.client, o.device), Tun(o.server, o.device)},
        links_{Link(o.to_server), Link(o.to_client)} {}

  void run() {
    fmt::print("ready\n");
    (void)std::fflush(stdout);
    while (stopped == 0) {
      wait();
      for (const Direction d : {Direction::c2s, Direction::s2c}) receive(d);
      for (const Direction d : {Direction::c2s, Direction::s2c}) deliver(d);
    }
    capture_.finish();
  }

 private:
  [[nodiscard]] Tun& source(Direction d) { return ends_[index(d)]; }
  [[nodiscard]] Tun& sink(Direction d) { return ends_[index(reverse(d))]; }

  void wait() {
    TimeNs due = kUnknownNs;
    for (const Link& link : links_) {
      const TimeNs t = link.next_due_ns();
      if (known(t) && (!known(due) || t < due)) due = t;
    }
    timespec left{};
    if (known(due)) {
      const DurationNs ns = std::max<DurationNs>(0, due - now_ns(CLOCK_MONOTONIC));
      left = {ns / kSecondNs, ns % kSecondNs};
    }
    std::array<pollfd, 2> fds{{{ends_[0].get(), POLLIN, 0}, {ends_[1].get(), POLLIN, 0}}};
    // SIGTERM and SIGINT arrive only here: none is missed between the check and the wait.
    sigset_t none;
    sigemptyset(&none);
    if (ppoll(fds.data(), fds.size(), known(due) ? &left : nullptr, &none) < 0 && errno != EINTR) {
      fail("ppoll");
    }
  }

  void receive(Direction d) {
    for (int i = 0; i < kPacketsPerTurn; ++i) {
      const std::size_t n = source(d).read(buffer_);
      if (n == 0) return;
      const Bytes packet(buffer_.data(), n);
      if ((d == Direction::s2c) == options_.tap_at_server) tap(packet);
      DurationNs farther = 0;
      if (const auto view = view_of(packet)) {
        if (lost(d, *view)) continue;
        const auto at =
            options_.farther.find(d == Direction::c2s ? view->destination : view->source);
        if (at != options_.farther.end()) farther = at->second;
      }
      links_[index(d)].offer(now_ns(CLOCK_MONOTONIC), packet, farther);
    }
  }

  bool lost(Direction d, const PacketView& packet) {
    bool any = false;
    for (Loss& loss : options_.losses) any |= loss.direction() == d && loss.takes(packet);
    return any;
  }

  void deliver(Direction d) {
    Link& link = links_[index(d)];
    while (known(link.next_due_ns()) && link.next_due_ns() <= now_ns(CLOCK_MONOTONIC)) {
      const std::vector<std::uint8_t> packet = link.take();
      if ((d == Direction::c2s) == options_.tap_at_server) tap(packet);
      sink(d).write(packet);
    }
  }

  void tap(Bytes packet) { capture_.add(now_ns(CLOCK_REALTIME), packet); }

  Options options_;
  Capture capture_;
  std::array<Tun, 2> ends_;  ///< client's, server's: by the direction of what comes from there
  std::array<Link, 2> links_;
  std::array<std::uint8_t, kLargestPacket> buffer_{};
};

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = &stop;
  sigset_t both;
  sigemptyset(&both);
  for (const int s : {SIGTERM, SIGINT}) {
    sigaddset(&both, s);
    sigaction(s, &action, nullptr);
  }
  sigprocmask(SIG_BLOCK, &both, nullptr);
}

DurationNs from_ms(double ms) { return std::llround(ms * kMillisecondNs); }

/// "10.88.2.3=25": that server address is 25 ms farther, each way.
void add_farther(Options& options, const std::string& text) {
  const std::size_t equals = text.find('=');
  const auto address = parse_ipv4(text.substr(0, equals));
  if (equals == std::string::npos || !address) {
    throw std::runtime_error("--farther " + text + " is not ADDRESS=MILLISECONDS");
  }
  options.farther[*address] = from_ms(std::stod(text.substr(equals + 1)));
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app("The path between the lab's two hosts: delay, rate, queue, loss and a tap");
  double delay_ms = 0;
  double rate_mbit = 0;
  std::string tap = "client";
  std::vector<std::string> losses;
  std::vector<std::string> farther;
  app.add_option("--client", o.client, "network namespace")->capture_default_str();
  app.add_option("--server", o.server, "network namespace")->capture_default_str();
  app.add_option("--device", o.device, "persistent TUN device of both")->capture_default_str();
  app.add_option("--delay-ms", delay_ms, "each way")->check(CLI::Range(0.0, 10000.0));
  app.add_option("--farther", farther, "ADDRESS=MS of a server: so much more, each way");
  app.add_option("--rate-mbit", rate_mbit, "bottleneck towards the client, 0 = none");
  app.add_option("--queue-bytes", o.to_client.queue_bytes, "in front of the bottleneck, 0 = any");
  app.add_option("--loss", losses, "DIRECTION:KIND:WHICH, as in loss.hpp");
  app.add_option("--capture", o.capture, "pcap file to write");
  app.add_option("--tap", tap, "where it is taken")->check(CLI::IsMember({"client", "server"}));
  CLI11_PARSE(app, argc, argv);

  o.tap_at_server = tap == "server";
  o.to_server.delay_ns = o.to_client.delay_ns = from_ms(delay_ms);
  o.to_client.bits_per_second = rate_mbit * 1e6;
  for (const std::string& text : farther) add_farther(o, text);
  for (const std::string& text : losses) {
    Result<Loss> loss = Loss::parse(text);
    if (!loss) throw std::runtime_error(loss.error());
    o.losses.push_back(std::move(*loss));
  }
  catch_signals();
  prctl(PR_SET_TIMERSLACK, 1);
  Relay(o).run();
  return 0;
}

}  // namespace
}  // namespace wirelag::lab

int main(int argc, char** argv) {
  try {
    return wirelag::lab::run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "lab-relay: {}\n", e.what());
    return 1;
  }
}
