{%- import "apparmor_rules.profile" as rules -%}
# {{ profile.name|name }}: an AppArmor profile, made by canc from a policy. The next build overwrites it.
abi <abi/{% match profile.abi %}{% when Abi::V3 %}3.0{% when Abi::V4 %}4.0{% endmatch %}>,

profile {{ profile.name|name }}
{%- if let Some(path) = profile.attachment %} "{{ path|path }}"{% endif %}
{%- if profile.complain %} flags=(complain){% endif %} {
{% for block in profile.blocks -%}
{% for origin in block.origins %}  # {% match origin %}{% when Origin::Base(why) %}@base: {{ why|comment }}{% when Origin::Rule { id, name, because } %}r{{ id|rule_number }}
{%- if let Some(name) = name %} @{{ name|rule_name }}{% endif %}
{%- if let Some(why) = because %}: {{ why|comment }}{% endif %}{% endmatch %}
{% endfor -%}
{% for rule in block.rules %}  {{ rules::rule(rule) }}
{% endfor %}
{% endfor -%}
{% for text in profile.raw -%}
# raw text begins
{{ text|raw }}# raw text ends
{% endfor %}  include if exists <local/{{ profile.name|name }}>
}

