// Refuses grammars that llama.cpp cannot take, would take for ever over, or would fill the memory with. Its parser writes what
// it cannot read to standard error, whole; its search for left recursion is exponential and overlooks rules that may be empty by
// way of others; and the stacks of an ambiguous grammar double with each character. So a grammar is read, measured and tried
// here first.
#pragma once

#include "internal.h"

// Throws a failure whose message begins with "grammar: ".
void check_grammar(const std::string & grammar, const llama_vocab * vocab);
