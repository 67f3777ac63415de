// Whether a port gets several queues is decided here, once:
//
//   TAP, af_packet                 the kernel spreads by a symmetric flow hash    -> kernel
//   RSS over TCP ports, key taken  Toeplitz with a key that repeats 16 bits       -> rss
//   anything else                  one queue, the caller dispatches               -> none
//
// With a key of period 16 the Toeplitz hash of (source, destination) equals that of (destination,
// source): S. Woo, K. Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling",
// KAIST 2012.
#include "port_setup.hpp"

#include <algorithm>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include <wirelag/ingest/dpdk/eal.hpp>

namespace wirelag {
namespace {

constexpr std::uint64_t kRssWanted = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
constexpr std::uint64_t kRssNeeded = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
constexpr std::size_t kUsualKeyBytes = 40;
constexpr std::uint16_t kSmallDataRoom = 2048;  // one mbuf holds a frame of the default MTU
constexpr std::uint16_t kFrameOverhead = 26;    // Ethernet header, two VLAN tags, CRC
constexpr unsigned kMbufCache = 256;
/// A burst of 64 KiB frames from net_pcap is held as 32 chains of 33 mbufs.
constexpr unsigned kMbufsInFlight = 33 * 33;

struct Plan {
  std::uint16_t queues = 1;
  Sharding sharding = Sharding::none;
  std::string note;
};

std::string because(int rc) {
  const std::string complaint = Eal::take_complaint();
  return complaint.empty() ? rte_strerror(rc < 0 ? -rc : rc) : complaint;
}

std::string_view device_name(std::string_view device) { return device.substr(0, device.find(',')); }

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

std::string_view way_out(std::string_view name) {
  if (name.find(':') != name.npos) return " (is it bound to vfio-pci?)";
  const bool kernel = name.starts_with("net_tap") || name.starts_with("net_af_packet");
  return kernel && geteuid() != 0 ? " (TAP and af_packet ports need root)" : "";
}

/// af_packet opens its sockets when it is created: it must be told how many then.
std::string with_queue_pairs(const std::string& device, std::uint16_t queues) {
  const bool af_packet = device.starts_with("net_af_packet");
  if (!af_packet || device.find("qpairs=") != device.npos) return device;
  return fmt::format("{},qpairs={}", device, queues);
}

Result<std::unique_ptr<PortHandle>> find_or_create(const PortOptions& options) {
  const std::string name(device_name(options.device));
  std::uint16_t id = 0;
  if (is_number(name)) {
    if (name.size() <= 4) id = static_cast<std::uint16_t>(std::stoul(name));
    if (name.size() > 4 || rte_eth_dev_is_valid_port(id) == 0) {
      return Error{
          fmt::format("there is no port {}: DPDK has {}", name, rte_eth_dev_count_avail())};
    }
    return std::make_unique<PortHandle>(id, false);
  }
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) {
    return std::make_unique<PortHandle>(id, false);
  }
  Eal::take_complaint();
  const std::string device = with_queue_pairs(options.device, options.queues);
  const int rc = rte_dev_probe(device.c_str());
  if (rc != 0 || rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
    return Error{fmt::format("port '{}' cannot be opened: {}{}", options.device, because(rc),
                             way_out(name))};
  }
  return std::make_unique<PortHandle>(id, true);
}

Plan make_plan(const rte_eth_dev_info& info, std::uint16_t wanted) {
  const std::string_view driver = info.driver_name;
  if (wanted <= 1) return {1, Sharding::none, "one queue is all that is needed"};
  if (info.max_rx_queues < wanted) {
    return {1, Sharding::none,
            fmt::format("{} offers {} queues, {} are needed", driver, info.max_rx_queues, wanted)};
  }
  if (driver == "net_tap" || driver == "net_af_packet") {
    return {wanted, Sharding::kernel, "the kernel's flow hash is symmetric"};
  }
  if ((info.flow_type_rss_offloads & kRssNeeded) != kRssNeeded) {
    return {1, Sharding::none, fmt::format("{} has no RSS over TCP ports", driver)};
  }
  return {wanted, Sharding::rss, "RSS with a symmetric key"};
}

std::vector<std::uint8_t> symmetric_key(const rte_eth_dev_info& info) {
  std::vector<std::uint8_t> key(info.hash_key_size > 0 ? info.hash_key_size : kUsualKeyBytes);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  return key;
}

/// Some drivers take a key without a word and keep their own.
bool key_is_ours(std::uint16_t port, std::vector<std::uint8_t> ours) {
  std::vector<std::uint8_t> key(ours.size());
  rte_eth_rss_conf conf{};
  conf.rss_key = key.data();
  conf.rss_key_len = static_cast<std::uint8_t>(key.size());
  return rte_eth_dev_rss_hash_conf_get(port, &conf) == 0 && key == ours;
}

/// What of the port's set-up does not depend on the plan.
struct Needs {
  const PortOptions* options = nullptr;
  rte_eth_dev_info info{};
  std::uint16_t mtu = 0;        ///< 0 = leave it as it is
  std::uint16_t data_room = 0;  ///< bytes of a frame in one mbuf
  bool scatter = false;
  bool nic_clock = false;
};

Needs assess(const PortOptions& options, const rte_eth_dev_info& info) {
  Needs needs{.options = &options, .info = info};
  const std::string_view driver = info.driver_name;
  const bool nic = !driver.starts_with("net_tap") && !driver.starts_with("net_af_packet") &&
                   !driver.starts_with("net_pcap");
  if (nic && info.max_mtu > 0) needs.mtu = std::min(options.mtu, info.max_mtu);
  needs.scatter = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 &&
                  (!nic || needs.mtu + kFrameOverhead > kSmallDataRoom);
  needs.nic_clock = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
  const int frame = needs.mtu + kFrameOverhead;
  needs.data_room =
      needs.scatter || frame <= kSmallDataRoom
          ? kSmallDataRoom
          : static_cast<std::uint16_t>(std::min(frame, UINT16_MAX - RTE_PKTMBUF_HEADROOM));
  return needs;
}

Status configure(std::uint16_t port, const Needs& needs, const Plan& plan,
                 std::vector<std::uint8_t>& key) {
  rte_eth_conf conf{};
  if (needs.mtu > 0) conf.rxmode.mtu = needs.mtu;
  if (needs.scatter) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
  if (needs.nic_clock) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  if (plan.sharding == Sharding::rss) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rxmode.offloads |= needs.info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
    conf.rx_adv_conf.rss_conf.rss_key = key.data();
    conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(key.size());
    conf.rx_adv_conf.rss_conf.rss_hf = kRssWanted & needs.info.flow_type_rss_offloads;
  }
  // Nothing is ever sent; but some drivers want as many Tx queues as Rx queues.
  const std::uint16_t tx = std::min(plan.queues, needs.info.max_tx_queues);
  if (const int rc = rte_eth_dev_configure(port, plan.queues, tx, &conf); rc != 0) {
    return Error{
        fmt::format("it cannot be configured with {} queues: {}", plan.queues, because(rc))};
  }
  return Done{};
}

Status set_up_queues(std::uint16_t port, const Needs& needs, const Plan& plan, rte_mempool* pool) {
  std::uint16_t rx_descriptors = needs.options->descriptors;
  std::uint16_t tx_descriptors = 64;
  rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx_descriptors, &tx_descriptors);
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(port));
  for (std::uint16_t queue = 0; queue < plan.queues; ++queue) {
    rte_eth_rxconf rx = needs.info.default_rxconf;
    rx.rx_drop_en = 1;  // a queue that is full must not hold up the others
    int rc = rte_eth_rx_queue_setup(port, queue, rx_descriptors, socket, &rx, pool);
    if (rc == 0 && queue < needs.info.max_tx_queues) {
      rc = rte_eth_tx_queue_setup(port, queue, tx_descriptors, socket, nullptr);
    }
    if (rc != 0) return Error{fmt::format("queue {} cannot be set up: {}", queue, because(rc))};
  }
  return Done{};
}

Status start(std::uint16_t port, const Needs& needs, const Plan& plan, rte_mempool* pool) {
  std::vector<std::uint8_t> key = symmetric_key(needs.info);
  Eal::take_complaint();
  if (Status s = configure(port, needs, plan, key); !s) return s;
  if (Status s = set_up_queues(port, needs, plan, pool); !s) return s;
  if (const int rc = rte_eth_dev_start(port); rc != 0) {
    return Error{fmt::format("it does not start: {}", because(rc))};
  }
  if (plan.sharding == Sharding::rss && !key_is_ours(port, key)) {
    rte_eth_dev_stop(port);
    return Error{"it does not take a symmetric RSS key"};
  }
  return Done{};
}

Result<std::unique_ptr<rte_mempool, FreePool>> make_pool(std::uint16_t port, const Needs& needs,
                                                         const Plan& plan) {
  const unsigned mbufs =
      plan.queues * (2U * needs.options->descriptors + kMbufsInFlight + 2 * kMbufCache);
  const auto bytes = static_cast<std::uint16_t>(needs.data_room + RTE_PKTMBUF_HEADROOM);
  const std::string name = fmt::format("wirelag_port_{}", port);
  std::unique_ptr<rte_mempool, FreePool> pool(rte_pktmbuf_pool_create(
      name.c_str(), mbufs, kMbufCache, 0, bytes, rte_eth_dev_socket_id(port)));
  if (pool == nullptr) {
    return Error{fmt::format(
        "no memory for {} packet buffers of {} bytes ({}): give DPDK more (hugepages, or -m)",
        mbufs, bytes, rte_strerror(rte_errno))};
  }
  return pool;
}

Error naming(const PortOptions& options, const Error& error) {
  return {fmt::format("port '{}' does not start: {}", options.device, error.message)};
}

}  // namespace

PortHandle::~PortHandle() {
  rte_eth_dev_info info{};
  const bool known = rte_eth_dev_info_get(id_, &info) == 0;
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  if (created_ && known && info.device != nullptr) rte_dev_remove(info.device);
}

Result<StartedPort> start_port(const PortOptions& options, PortInfo& info) {
  Result<std::unique_ptr<PortHandle>> handle = find_or_create(options);
  if (!handle) return handle.take_error();
  StartedPort port;
  port.handle = std::move(*handle);
  const std::uint16_t id = port.handle->id();

  rte_eth_dev_info device{};
  if (const int rc = rte_eth_dev_info_get(id, &device); rc != 0) {
    return naming(options, {because(rc)});
  }
  const Needs needs = assess(options, device);
  Plan plan = make_plan(device, options.queues);
  if (std::string_view(device.driver_name) == "net_af_packet" &&
      device.max_rx_queues > plan.queues) {
    return Error{fmt::format(
        "port '{}' has qpairs={} but {} workers poll it: make them equal, or frames are lost",
        options.device, device.max_rx_queues, options.queues)};
  }

  auto pool = make_pool(id, needs, plan);
  if (!pool) return naming(options, pool.take_error());
  port.pool = std::move(*pool);

  Status started = start(id, needs, plan, port.pool.get());
  if (!started && plan.sharding == Sharding::rss) {
    plan = {1, Sharding::none, started.error()};
    started = start(id, needs, plan, port.pool.get());
  }
  if (!started) return naming(options, started.take_error());

  char name[RTE_ETH_NAME_MAX_LEN] = "";
  rte_eth_dev_get_name_by_port(id, name);
  rte_eth_link link{};
  rte_eth_link_get_nowait(id, &link);
  info.name = name;
  info.driver = device.driver_name;
  info.queues = plan.queues;
  info.sharding = plan.sharding;
  info.sharding_note = plan.note;
  info.promiscuous = rte_eth_promiscuous_enable(id) == 0;
  info.link_up = link.link_status == RTE_ETH_LINK_UP;
  info.link_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  // net_pcap chains mbufs without offering to scatter.
  port.chained = needs.scatter || info.driver == "net_pcap";
  port.nic_clock = needs.nic_clock;
  return port;
}

}  // namespace wirelag
