#include <wirelag/summary/service.hpp>

namespace wirelag {

std::string ServiceKey::text(const std::vector<std::string>& service_names) const {
  switch (kind) {
    case Kind::service:
      return "service/" +
             (service < service_names.size() ? service_names[service] : std::to_string(service));
    case Kind::tcp: return "tcp/" + endpoint.text();
    case Kind::dns: return "dns/" + endpoint.text();
    case Kind::other: break;
  }
  return "other";
}

}  // namespace wirelag
