#include "experiments/program.h"

int main(int argc, char** argv) {
  return kvscope::run_program({argv + 1, argv + argc});
}
