{%- import "apparmor_words.profile" as words -%}
{%- match word -%}
{%- when Word::Capability(x) -%}{{ words::capability(x) }}
{%- when Word::Signal(x) -%}{{ words::signal(x) }}
{%- when Word::FilePerm(x) -%}{{ words::file_perm(x) }}
{%- when Word::NetPerm(x) -%}{{ words::net_perm(x) }}
{%- when Word::SignalPerm(x) -%}{{ words::signal_perm(x) }}
{%- when Word::PtracePerm(x) -%}{{ words::ptrace_perm(x) }}
{%- when Word::MqueuePerm(x) -%}{{ words::mqueue_perm(x) }}
{%- when Word::Family(x) -%}{{ words::family(x) }}
{%- when Word::SocketType(x) -%}{{ words::socket_type(x) }}
{%- when Word::MountOption(x) -%}{{ words::mount_option(x) }}
{%- endmatch -%}
