… 15 lines as without rules
