… 13 lines as without rules
  # r1
  "/srv/data/**[^/]" r,

# raw text begins

    # by hand
    mqueue getattr /jobs,
  
# raw text ends
  include if exists <local/canc.app>
}
