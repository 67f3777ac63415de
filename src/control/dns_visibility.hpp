// DNS queries whose answers were not captured: of them nobody knows whether they were answered.
#pragma once

#include <wirelag/control/dataset.hpp>

namespace wirelag {

/// Makes the unanswered queries over UDP `not_visible` of every client of which the capture shows nothing that it
/// received, but that it did receive: it goes on in a TCP connection whose other side was not captured
/// (`server_not_captured`), or never asks again what was not answered, as resolver libraries do, of a resolver
/// of which the capture has no packet to anybody.
void mark_not_visible(Transactions<DnsTransaction>& dns,
                      const Transactions<Connection>& connections, const LookupLimits& limits);

}  // namespace wirelag
