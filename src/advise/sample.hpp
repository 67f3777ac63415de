// Which visits are looked into when there are more than may be stored. Private to advise; pure.
//
//   all drafts   something failed or was lost        |  the others
//   kept         at most half of the places, more    |  the rest of the places
//                when the others leave some free     |
//   weight       drafts of the group / those kept of it
//
// What is rare and wrong is what the rules look for, so that its examples are kept first; as every draft
// counts with its weight, no figure is shifted by that. Within a group the choice is by a hash of who and
// when: the same ones whatever the order, and whatever they waited.
#pragma once

#include "graph.hpp"

namespace wirelag {

/// Keeps `n` drafts; the weights of those kept add up to the number that there was.
void sample(std::vector<VisitDraft>& drafts, std::size_t n);

}  // namespace wirelag
