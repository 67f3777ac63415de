#include <wirelag/ingest/frame.hpp>

namespace wirelag {

std::string_view name(LinkType link) {
  switch (link) {
    case LinkType::ethernet: return "ethernet";
    case LinkType::linux_sll: return "linux_sll";
    case LinkType::linux_sll2: return "linux_sll2";
    case LinkType::raw_ip: return "raw_ip";
    case LinkType::bsd_null: return "bsd_null";
    case LinkType::bsd_loop: return "bsd_loop";
  }
  return "unknown";
}

}  // namespace wirelag
