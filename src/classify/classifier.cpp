// Three Hyperscan databases (databases.hpp): signatures of TCP, signatures of UDP, service rules. One
// scratch serves all three, since a worker scans one thing at a time.
//
// The signatures come compiled from the build, service rules are compiled on the control core, which also
// makes the scratch that the classifiers clone: a classifier's construction asks for memory once, a scan
// never.

#include <algorithm>
#include <iterator>
#include <new>

#include <fmt/core.h>

#include <wirelag/classify/classifier.hpp>

#include "databases.hpp"
#include "prebuilt.hpp"
#include "signature_table.hpp"

namespace wirelag {
namespace {

using Scratch = std::unique_ptr<hs_scratch_t, HyperscanFree>;

constexpr unsigned kNoMatch = UINT32_MAX;

/// As the build has compiled them; anew where this is another version of Hyperscan than the build had.
Database load_signatures(Transport transport, CompileFailure& failure) {
  const std::string_view built = as_text(prebuilt_signatures(transport));
  hs_database_t* database = nullptr;
  if (hs_deserialize_database(built.data(), built.size(), &database) == HS_SUCCESS) {
    return Database(database);
  }
  return compile_signatures(transport, failure);
}

/// What each pattern means, by its id.
std::vector<Recognised> messages_of(Transport transport) {
  std::vector<Recognised> messages;
  for (const Signature& signature : kSignatures) {
    if (signature.transport == transport)
      messages.push_back({signature.protocol, signature.speaker});
  }
  return messages;
}

std::string rule_error(const std::vector<ServiceRule>& rules, const CompileFailure& failure) {
  if (failure.pattern < 0) return fmt::format("the service rules: {}", failure.message);
  const ServiceRule& rule = rules[static_cast<std::size_t>(failure.pattern)];
  return fmt::format("service rule {} (\"{}\"), pattern \"{}\": {}", failure.pattern + 1,
                     rule.service, rule.pattern, failure.message);
}

/// The smallest id that matches, kNoMatch when none does.
unsigned first_match(const hs_database_t* database, hs_scratch_t* scratch, std::string_view text) {
  unsigned first = kNoMatch;
  const auto on_match = [](unsigned id, unsigned long long, unsigned long long, unsigned,
                           void* context) {
    auto& smallest = *static_cast<unsigned*>(context);
    smallest = std::min(smallest, id);
    return smallest == 0 ? 1 : 0;  // nothing can beat 0: stop
  };
  (void)hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0, scratch, on_match,
                &first);
  return first;
}

/// Host without ":port" and final dot. An IPv6 address keeps its colons, with or without brackets.
std::string_view bare_host(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos &&
      (host.find(':') == colon || (colon > 0 && host[colon - 1] == ']')))
    host = host.substr(0, colon);
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  return host;
}

}  // namespace

struct Signatures::State {
  Database tcp;
  Database udp;
  Database service_rules;  ///< null when there are no rules
  std::vector<Recognised> tcp_messages = messages_of(Transport::tcp);
  std::vector<Recognised> udp_messages = messages_of(Transport::udp);
  std::vector<ServiceId> rule_services;  ///< by pattern id
  std::vector<std::string> services;     ///< by ServiceId - 1
  Scratch scratch;                       ///< fits all databases; only ever cloned

  Status name_services(const std::vector<ServiceRule>& rules);
  Status compile_rules(const std::vector<ServiceRule>& rules);
  Status make_scratch();
};

Status Signatures::State::name_services(const std::vector<ServiceRule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const ServiceRule& rule = rules[i];
    if (rule.service.empty())
      return Error{fmt::format("service rule {} has no service name: give it one", i + 1)};
    if (rule.pattern.empty())
      return Error{fmt::format(
          "service rule {} (\"{}\") has an empty pattern: write \".*\" for \"any name\"", i + 1,
          rule.service)};
    auto at = std::find(services.begin(), services.end(), rule.service);
    if (at == services.end()) {
      if (services.size() == UINT16_MAX)
        return Error{fmt::format("service rules name more than {} services", UINT16_MAX)};
      at = services.insert(services.end(), rule.service);
    }
    rule_services.push_back(static_cast<ServiceId>(std::distance(services.begin(), at) + 1));
  }
  return Done{};
}

Status Signatures::State::compile_rules(const std::vector<ServiceRule>& rules) {
  if (rules.empty()) return Done{};
  std::vector<const char*> patterns;
  for (const ServiceRule& rule : rules) patterns.push_back(rule.pattern.c_str());
  CompileFailure failure;
  service_rules = compile_database(
      patterns, HS_FLAG_CASELESS | HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY,
      failure);
  if (!service_rules) return Error{rule_error(rules, failure)};
  return Done{};
}

Status Signatures::State::make_scratch() {
  hs_scratch_t* made = nullptr;
  for (const Database* database : {&tcp, &udp, &service_rules}) {
    if (!*database) continue;
    if (hs_alloc_scratch(database->get(), &made) != HS_SUCCESS) {
      hs_free_scratch(made);
      return Error{"Hyperscan: no memory for the scratch of the signatures"};
    }
  }
  scratch.reset(made);
  return Done{};
}

Result<std::shared_ptr<const Signatures>> Signatures::compile(
    const std::vector<ServiceRule>& rules) {
  if (hs_valid_platform() != HS_SUCCESS)
    return Error{"Hyperscan needs a processor with SSSE3: this one does not have it"};
  auto state = std::make_unique<State>();
  CompileFailure failure;
  state->tcp = load_signatures(Transport::tcp, failure);
  if (state->tcp) state->udp = load_signatures(Transport::udp, failure);
  if (!state->udp) return Error{fmt::format("protocol signatures: {}", failure.message)};

  if (auto named = state->name_services(rules); !named) return named.take_error();
  if (auto compiled = state->compile_rules(rules); !compiled) return compiled.take_error();
  if (auto made = state->make_scratch(); !made) return made.take_error();
  return std::shared_ptr<const Signatures>(new Signatures(std::move(state)));
}

Signatures::Signatures(std::unique_ptr<State> state) : state_(std::move(state)) {}
Signatures::~Signatures() = default;

std::string_view Signatures::service_name(ServiceId id) const {
  if (id == kNoService || id > state_->services.size()) return {};
  return state_->services[id - 1U];
}

std::size_t Signatures::services() const { return state_->services.size(); }

struct Classifier::State {
  std::shared_ptr<const Signatures> signatures;
  Scratch scratch;
};

Classifier::Classifier(std::shared_ptr<const Signatures> signatures)
    : state_(std::make_unique<State>()) {
  hs_scratch_t* scratch = nullptr;
  if (hs_clone_scratch(signatures->state_->scratch.get(), &scratch) != HS_SUCCESS)
    throw std::bad_alloc();  // at start only
  state_->scratch.reset(scratch);
  state_->signatures = std::move(signatures);
}

Classifier::~Classifier() = default;

Recognised Classifier::recognise(Bytes first_bytes, Transport transport) {
  const Signatures::State& known = *state_->signatures->state_;
  const bool tcp = transport == Transport::tcp;
  if (first_bytes.empty() || (!tcp && transport != Transport::udp)) return {};
  const Bytes looked_at = first_bytes.first(std::min(first_bytes.size(), kSignatureBytes));
  const unsigned id = first_match(tcp ? known.tcp.get() : known.udp.get(), state_->scratch.get(),
                                  as_text(looked_at));
  if (id == kNoMatch) return {};
  return (tcp ? known.tcp_messages : known.udp_messages)[id];
}

ServiceId Classifier::service_of(std::string_view host) {
  const Signatures::State& known = *state_->signatures->state_;
  if (!known.service_rules || host.empty()) return kNoService;
  const unsigned id =
      first_match(known.service_rules.get(), state_->scratch.get(), bare_host(host));
  return id == kNoMatch ? kNoService : known.rule_services[id];
}

}  // namespace wirelag
