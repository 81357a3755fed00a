{%- import "apparmor_words.profile" as words -%}
{%- macro mode(x) -%}{% if x.audit %}audit {% endif %}{% if x.deny %}deny {% endif %}{%- endmacro -%}
{%- macro owner(x) -%}{% if x %}owner {% endif %}{%- endmacro -%}
{%- macro peer(x) -%}
{%- match x -%}
{%- when Peer::Profile(name) -%}"{{ name|name }}"
{%- when Peer::Member(name) -%}"{**//&,}{{ name|name }}{//&**,}"
{%- when Peer::Unconfined -%}"unconfined"
{%- endmatch -%}
{%- endmacro -%}
{%- macro net_perms(x) -%}({% for p in x.iter() %}{% if !loop.first %} {% endif %}{{ words::net_perm(p) }}{% endfor %}){%- endmacro -%}
{%- macro file(r) -%}
{{ mode(r.mode) }}{{ owner(r.owner) }}"{{ r.path|path }}" {% for p in r.perms.iter() %}{{ words::file_perm(p) }}{% endfor %}
{%- if let Some(exec) = r.exec -%}
{%- match exec -%}
{%- when Exec::Inherit -%}ix
{%- when Exec::Stack { own, other } -%}Px -> "{{ own|name }}//&{{ other|name }}"
{%- when Exec::Profile(name) -%}Px -> "{{ name|name }}"
{%- when Exec::Unconfined -%}Ux
{%- endmatch -%}
{%- endif -%},
{%- endmacro -%}
{%- macro unix(r) -%}
{{ mode(r.mode) }}unix {{ net_perms(r.perms) }} type={{ words::socket_type(r.kind) }}
{%- if let Some(own) = r.own %} addr="@{{ own|text }}"{% endif %}
{%- if r.label.is_some() || r.peer.is_some() %} peer=(
{%- if let Some(label) = r.label %}label={{ peer(label) }}{% endif %}
{%- if r.label.is_some() && r.peer.is_some() %}, {% endif %}
{%- if let Some(name) = r.peer %}addr="@{{ name|text }}"{% endif %}){% endif %},
{%- endmacro -%}
{%- macro signal(r) -%}
{{ mode(r.mode) }}signal ({% for p in r.perms.iter() %}{% if !loop.first %} {% endif %}{{ words::signal_perm(p) }}{% endfor %})
{%- if let Some(set) = r.signals %} set=({% for n in set|numbers %}{% if !loop.first %} {% endif %}{{ words::signal(n) }}{% endfor %}){% endif %}
{%- if let Some(x) = r.peer %} peer={{ peer(x) }}{% endif %},
{%- endmacro -%}
{%- macro ptrace(r) -%}
{{ mode(r.mode) }}ptrace ({% for p in r.perms.iter() %}{% if !loop.first %} {% endif %}{{ words::ptrace_perm(p) }}{% endfor %})
{%- if let Some(x) = r.peer %} peer={{ peer(x) }}{% endif %},
{%- endmacro -%}
{%- macro mount(r) -%}
{{ mode(r.mode) }}{% if r.remount %}remount{% else %}mount{% endif %}
{%- if !r.types.is_empty() %} fstype=({% for t in r.types %}{% if !loop.first %}, {% endif %}"{{ t|text }}"{% endfor %}){% endif %}
{%- if !r.options.is_empty() %} options=({% for o in r.options %}{% if !loop.first %}, {% endif %}{{ words::mount_option(o) }}{% endfor %}){% endif %}
{%- if let Some(source) = r.source -%}
{%- match source -%}
{%- when MountSource::Path(path) %} "{{ path|path }}"
{%- when MountSource::Name(name) %} "{{ name|text }}"
{%- endmatch -%}
{%- endif -%}
{%- if !r.remount %} ->{% endif %} "{{ r.target|path }}",
{%- endmacro -%}
{%- macro rule(rule) -%}
{%- match rule -%}
{%- when Rule::File(r) -%}{{ file(r) }}
{%- when Rule::Link(r) -%}{{ mode(r.mode) }}{{ owner(r.owner) }}link {% if !r.mode.deny %}subset {% endif %}"{{ r.name|path }}" -> "{{ r.target|path }}",
{%- when Rule::Capability(r) -%}{{ mode(r.mode) }}capability{% for n in r.numbers %} {{ words::capability(n) }}{% endfor %},
{%- when Rule::Network(r) -%}{{ mode(r.mode) }}network {% if let Some(perms) = r.perms %}{{ net_perms(perms) }} {% endif %}{{ words::family(r.family) }} {{ words::socket_type(r.kind) }},
{%- when Rule::Unix(r) -%}{{ unix(r) }}
{%- when Rule::Userns(m) -%}{{ mode(m) }}userns create,
{%- when Rule::Signal(r) -%}{{ signal(r) }}
{%- when Rule::Ptrace(r) -%}{{ ptrace(r) }}
{%- when Rule::Mount(r) -%}{{ mount(r) }}
{%- when Rule::Umount { mode: m, target } -%}{{ mode(m) }}umount "{{ target|path }}",
{%- when Rule::PivotRoot { mode: m, old, new } -%}{{ mode(m) }}pivot_root oldroot="{{ old|path }}" "{{ new|path }}",
{%- when Rule::Mqueue { mode: m, perms, name } -%}{{ mode(m) }}mqueue ({% for p in perms.iter() %}{% if !loop.first %} {% endif %}{{ words::mqueue_perm(p) }}{% endfor %}) type=posix "{{ name|text }}",
{%- endmatch -%}
{%- endmacro -%}
