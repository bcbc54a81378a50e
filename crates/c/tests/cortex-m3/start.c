/* The vector table of a Cortex-M3, and the way to newlib's start with semihosting. */

#include <stdint.h>

extern uint32_t stack_top;
void _start(void);

static void reset(void) {
    _start();
}

static void fault(void) {
    /* SYS_EXIT with ADP_Stopped_RunTimeErrorUnknown. */
    register uint32_t operation __asm__("r0") = 0x18;
    register uint32_t reason __asm__("r1") = 0x20023;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(reason));
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, reset, fault, fault, fault, fault, fault,
};
