#include "word.h"

const char *word(void) {
    return "built";
}
