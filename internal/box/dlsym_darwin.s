#include "textflag.h"

TEXT box_dlsym_trampoline<>(SB),NOSPLIT,$0-0
	JMP	box_dlsym(SB)
GLOBL	·dlsymAddress(SB), RODATA, $8
DATA	·dlsymAddress(SB)/8, $box_dlsym_trampoline<>(SB)
