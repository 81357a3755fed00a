… 3 lines as without rules
profile canc.app "/usr/sbin/appd" {
… 11 lines as without rules
