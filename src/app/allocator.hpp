// The control core's heap (allocator.cpp).
#pragma once

namespace wirelag::app {

/// Returns what was freed, and was kept to be handed out again, to the system: between two pieces of work that need
/// much memory one after the other. Takes milliseconds.
void give_back_freed_memory();

}  // namespace wirelag::app
