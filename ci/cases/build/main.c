#include <stdio.h>
#include "word.h"

int main(void) {
    return puts(word()) < 0;
}
