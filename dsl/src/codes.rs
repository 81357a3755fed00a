//! Every code of a diagnostic: its permanent number, its title and its page. Numbers are never given to something else.

use crate::diag::Code;

/// What is known of a code.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Its title: lower case, no full stop.
    pub title: &'static str,
    /// Its page, in Markdown: what it means, an example, what to write instead.
    pub page: &'static str,
}

/// The page of a code, as `canc explain` prints it.
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    ALL.iter().find(|e| e.code == code).map(|e| e.page)
}

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident $number:literal $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code($number);
        )*

        /// Every code, by number.
        pub const ALL: &[Entry] = &[$(Entry {
            code: $name,
            title: $title,
            page: include_str!(concat!("../codes/", $number, ".md")),
        },)*];
    };
}

codes! {
    // Texts and their skeleton.
    NOT_UTF8 "E0001" "the file is not UTF-8";
    BYTE_ORDER_MARK "E0002" "the file starts with a byte-order mark";
    CARRIAGE_RETURN "E0003" "the file holds carriage returns";
    CONTROL "E0004" "control character";
    BIDI "E0005" "bidirectional control character";
    LINE_TOO_LONG "E0006" "a line is too long";
    FILE_TOO_LONG "E0007" "the file is too long";
    TOO_DEEP "E0008" "nested too deep";
    UNCLOSED_STRING "E0009" "a text is never closed";
    STRING_TOO_LONG "E0010" "a text is too long";
    BAD_ESCAPE "E0011" "unknown escape in a string";
    UNBALANCED "E0012" "a bracket has no partner";
    UNCLOSED_BLOCK "E0013" "a block is never closed";
    STRAY_BRACE "E0014" "`}` closes nothing";
    MISSING_SEMICOLON "E0015" "`;` is missing";
    STRAY_CHARACTER "E0016" "unexpected character";
    STATEMENT_TOO_LONG "E0017" "a statement is too long";
    TOO_MANY_STATEMENTS "E0018" "too many statements";
    TOO_MANY_MESSAGES "E0019" "too many messages";
    INTERNAL "E0020" "a fault of the compiler";

    // Statements and their words.
    EXPECTED "E0101" "something else was expected";
    UNEXPECTED "E0102" "something stands where nothing belongs";
    UNKNOWN_WORD "E0103" "unknown word";
    MISPLACED "E0104" "a statement in the wrong place";
    EDITION "E0105" "the edition is missing or misplaced";
    UNKNOWN_EDITION "E0106" "unknown edition";
    BAD_NAME "E0107" "not a name";
    RESERVED_NAME "E0108" "a word of the language as a name";
    REPEATED "E0109" "a word stands twice in a statement";
    NO_MEANING "E0110" "a clause has no meaning here";
    BECAUSE_MISSING "E0111" "the reason is missing";
    BAD_UNIT "E0112" "unknown unit";
    NUMBER_TOO_LARGE "E0113" "a number is too large";
    RUN_IN_LIST "E0114" "`->` beside other accesses";
    WRONG_OPERATION "E0115" "an access that the protocol has not";
    USER_NAMESPACE "E0116" "user namespaces have their own rule";
    BAD_SIGNAL "E0117" "no such signal";
    BAD_PEER "E0118" "not a peer for this rule";
    BAD_TYPE_NAME "E0119" "not the name of a file system type";
    BAD_ERRNO "E0120" "no such error number";
    TOO_MANY_PARAMETERS "E0121" "too many parameters";
    TOO_MANY_TESTS "E0122" "too many comparisons in a condition";
    LEADING_ZERO "E0123" "a number that starts with a zero";

    // Names, values and where things stand.
    DUPLICATE "E0201" "a name given twice";
    UNKNOWN_NAME "E0202" "unknown name";
    UNKNOWN_FRAGMENT "E0203" "unknown fragment";
    UNKNOWN_POLICY "E0204" "unknown policy";
    UNKNOWN_TEMPLATE "E0205" "unknown template";
    ARGUMENT_COUNT "E0206" "wrong number of arguments";
    BAD_ARGUMENT "E0207" "a value does not fit its parameter";
    NO_ARGUMENT "E0208" "a parameter has no value";
    UNKNOWN_PARAMETER "E0209" "a value for a parameter that does not exist";
    DEFAULT_ORDER "E0210" "a parameter without default after one with a default";
    LET_RING "E0211" "values need each other";
    FRAGMENT_RING "E0212" "fragments include each other";
    USE_RING "E0213" "files use each other";
    BAD_USE "E0214" "`use` of something that is no relative path";
    CANNOT_LOAD "E0215" "a file cannot be used";
    TOO_MANY_FILES "E0216" "too many files";
    TOO_MANY_INCLUDES "E0217" "too many fragments";
    TOO_MANY_RULES "E0218" "too many rules or policies";
    TOO_MANY_VALUES "E0219" "sets hold too many values";
    WRONG_KIND "E0220" "a value of the wrong kind";
    MIXED_SET "E0221" "a set of different kinds";
    LONE_DOLLAR "E0222" "a single `$`";
    BUILT_IN_OUTSIDE_PATH "E0223" "a built-in directory outside of a path";
    DENY_IN_FRAGMENT "E0224" "a `deny` in a fragment";
    NOT_IN_FRAGMENT "E0225" "a statement that fragments cannot hold";
    ARCH_RULE "E0226" "what depends on `arch` is no system call";
    DENY_IN_WHEN "E0227" "a `deny` depends on a target";
    RAW_NOT_ALLOWED "E0228" "verbatim text is not accepted";
    TOO_MANY_ITEMS "E0229" "too many items in a file";

    // What rules and policies mean.
    PATH_NOT_ABSOLUTE "E0301" "a path does not start at the root";
    PATH_DOTS "E0302" "`.`, `..` or `//` in a path";
    PATH_GLOBSTAR "E0303" "`**` beside other characters";
    PATH_BRACKETS "E0304" "brackets or braces of a path are wrong";
    PATH_ESCAPE "E0305" "a character that paths cannot hold so";
    PATH_TOO_LARGE "E0306" "a path is too long or has too many alternatives";
    PATH_EXPLODES "E0307" "a pattern's automaton is too large";
    NOTHING_LEFT "E0308" "a rule about nothing";
    SHARED_DIRECTORY "E0309" "`as` on a directory of many programs";
    TWO_LABELS "E0310" "one path with two labels";
    TWO_TARGETS "E0311" "one path is sent to two places";
    TWO_OWNERS "E0312" "one path is owned by two policies";
    TWO_ATTACHMENTS "E0313" "one program is attached to two policies";
    TOO_MANY_OVERLAPS "E0314" "too many patterns overlap";
    EDGE_WITHOUT_LAUNCH "E0315" "`-> policy` without `launch from policy`";
    EDGE_WITHOUT_RUN "E0316" "`launch from policy` without `-> policy`";
    BAD_PORT "E0317" "not a port";
    BAD_ADDRESS "E0318" "not an address";
    HOST_NAME "E0319" "the name of a host";
    BAD_NAME_PATTERN "E0320" "not the name of a socket or queue";
    BAD_QUEUE_NAME "E0321" "not the name of a message queue";
    UNKNOWN_CALL "E0322" "unknown system call";
    UNKNOWN_GROUP "E0323" "unknown group of system calls";
    UNKNOWN_ARGUMENT "E0324" "unknown argument of a system call";
    POINTER_ARGUMENT "E0325" "a pointer cannot be compared";
    UNKNOWN_CONSTANT "E0326" "unknown constant";
    VALUE_TOO_WIDE "E0327" "a value has more bits than its argument";
    VALUE_OUT_OF_MASK "E0328" "a comparison that is always the same";
    MASK_ORDER "E0329" "`&` with an order";
    TWO_ERRNOS "E0330" "two errors for one system call";
    NO_EXEC "E0331" "a policy without programs";
    REPEATED_STATEMENT "E0332" "a statement stands twice";
    BAD_LIMIT "E0333" "not a value for a limit";
    BAD_DESCRIPTOR "E0334" "not a descriptor to keep";
    BAD_VARIABLE "E0335" "not the name of a variable";
    NOT_CONCRETE "E0336" "a request is not concrete";
    NO_SUCH_RULE "E0337" "no rule of this reason or id";
    CLONE3_ALONE "E0338" "`clone3` without `userns create`";

    // What a seccomp filter cannot say.
    FILTER_TOO_COMPLICATED "E0402" "conditions too complicated for a filter";
    FILTER_TOO_LONG "E0403" "a filter too long for the kernel";

    // What SELinux labels cannot say.
    LABEL_SPECIFIC "E0411" "`as` on paths that the base labels";
    LABEL_IDENTICAL "E0412" "`as` on a pattern that the base has itself";
    LABEL_VIRTUAL "E0413" "`as` where no file has a label of its own";
    LABEL_ONE_PARENT "E0414" "two labels for new files of one directory";
    LABEL_TOO_MANY_PARTS "E0415" "a label is cut into too many parts";
    NAME_TOO_LONG "E0416" "a generated name is too long";

    // What the back ends find together.
    NOT_IN_PROFILE "E0501" "an AppArmor profile cannot hold a text";
    DENY_UNENFORCED "E0502" "a deny that nothing enforces";
    REQUIRE_UNMET "E0503" "a required back end that no deployment has";
    EDGE_EXCEEDS "E0504" "a transition to a policy that may do more";
    RESULT_DENIED "E0505" "a result that `--deny` forbids";
    ALLOW_DEAD "E0506" "an allow of which the denies leave nothing";
    ALLOW_REFUSED "E0507" "an allow whose system calls are denied";

    // Warnings.
    ADDRESS_UNENFORCED "W0001" "nobody enforces addresses";
    NO_NEW_PRIVS_OFF "W0002" "programs may gain privileges";
    ATTACH_INTERPRETER "W0003" "a policy is attached to an interpreter";
    RULE_COVERED "W0004" "a rule covered by another";
    ESCAPE "W0005" "a known way around the policy";
    CONDITION_SAME "W0007" "a condition that is always the same";

    // Notes.
    CALL_MISSING "N0001" "a system call that an architecture lacks";
}
