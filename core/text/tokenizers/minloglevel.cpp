// Debian's libsentencepiece and LibTorch's libc10 both define a global variable FLAGS_minloglevel:
// an object of 32 bytes in the one, an int in the other. The dynamic linker gives both the one that
// it finds first, which is the int, and the object's constructor writes behind its end: over
// LibTorch's switch that makes every failed allocation end the program instead of throwing. This
// definition stands in the program itself, is found before both, and is large enough for both.
// LibTorch reads the int only in a start-up function that kvscope does not call.
// core/CMakeLists.txt keeps it in every program; the test tools.shared_symbols looks for others of
// its kind.
alignas(64) extern char FLAGS_minloglevel[64];
char FLAGS_minloglevel[64] = {};
