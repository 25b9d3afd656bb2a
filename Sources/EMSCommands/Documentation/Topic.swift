import EMSCore
import EMSRuntime

/// Something to read that is no command's: a manual page, and what `ems help TOPIC` shows.
struct Topic: Sendable {
    enum Block: Sendable {
        case heading(String)
        case text(String)
        case terms([(term: String, text: String)])
        case literal([String])
    }

    /// What it is called in `ems help`.
    let name: String
    /// The manual page's name and section.
    let page: String
    let section: Int
    let summary: String
    let blocks: [Block]
    let others: [String]

    static var all: [Topic] { [.configuration, .exitCodes, .environment, .formats] }

    static func named(_ name: String) -> Topic? {
        all.first { $0.name == name || $0.page == name || "\($0.page).\($0.section)" == name }
    }

    // MARK: As a manual page

    var mdoc: String {
        var page = Mdoc()
        page.macro("Dd", "$Mdocdate$")
        page.macro("Dt", "\(self.page.uppercased()) \(section)")
        page.macro("Os")
        page.macro("Sh", "NAME")
        page.macro("Nm", self.page)
        page.macro("Nd", summary)
        page.macro("Sh", "DESCRIPTION")
        for block in blocks {
            switch block {
            case .heading(let title): page.macro("Sh", title.uppercased())
            case .text(let text): page.line(text)
            case .terms(let terms):
                page.macro("Bl", "-tag -width Ds")
                for (term, text) in terms {
                    page.macro("It", Mdoc.quoted(term))
                    page.line(text)
                }
                page.macro("El")
            case .literal(let lines):
                page.macro("Bd", "-literal -offset indent")
                for line in lines { page.literal(line) }
                page.macro("Ed")
            }
        }
        page.macro("Sh", "SEE ALSO")
        for (index, other) in others.enumerated() { page.macro("Xr", index < others.count - 1 ? other + " ," : other) }
        return page.text
    }

    // MARK: On a terminal

    /// - Parameter width: how long its lines may be.
    func text(width: Int) -> String {
        var lines = ["\(name): \(summary)", ""]
        for block in blocks {
            switch block {
            case .heading(let title): lines += [title.uppercased(), ""]
            case .text(let text): lines += Self.wrapped(text, indent: 2, width) + [""]
            case .terms(let terms):
                for (term, text) in terms { lines += ["  " + term] + Self.wrapped(text, indent: 8, width) + [""] }
            case .literal(let literal): lines += literal.map { "    " + $0 } + [""]
            }
        }
        return lines.dropLast().joined(separator: "\n") + "\n"
    }

    private static func wrapped(_ text: String, indent: Int, _ width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return (lines + [line]).map { String(repeating: " ", count: indent) + $0 }
    }
}

extension Topic {
    static var exitCodes: Topic {
        let statuses = Set(ErrorCode.allCases.map(\.exitStatus)).sorted().map { status in
            (term: String(status), text: ErrorCode.allCases.filter { $0.exitStatus == status }.map(\.title).joined(separator: "; ") + ".")
        }
        return Topic(
            name: "exit-codes", page: "ems-exit-codes", section: 7, summary: "what the exit status of ems tells",
            blocks: [
                .text("0 means that all is done. Any other status comes with one message on the standard error stream, and means:"),
                .terms(statuses),
                .text("The values from 64 on are those of sysexits.h where they fit."),
            ], others: ["ems 1"])
    }

    static var configuration: Topic {
        let settings = SettingKey.allCases.map { key in
            let value = key.defaultValue.map { " The default is \($0)." } ?? ""
            return (term: key.rawValue, text: "\(key.summary)\(value) In the environment: \(key.environmentNames.joined(separator: ", ")).")
        }
        return Topic(
            name: "configuration", page: "ems-config", section: 5, summary: "the configuration of ems",
            blocks: [
                .text(
                    """
                    A setting is looked for among the flags of the command, then in the environment, then in the chosen profile of the \
                    configuration file, then in the file outside of all profiles, and has its default otherwise. ems config list shows which \
                    value each setting has and who said it; ems config check finds mistakes.
                    """),
                .text(
                    """
                    The file is the one that --config or EMS_CONFIG names, or the first of $XDG_CONFIG_HOME/ems/config.yaml and \
                    /etc/ems/config.yaml that exists. It is YAML: a map of settings, and below profiles a map of settings for each profile. A \
                    key that means nothing is refused.
                    """),
                .heading("Examples"),
                .literal([
                    "port: 8000",
                    "profile: staging                # ems config use writes this",
                    "profiles:",
                    "  staging:",
                    "    data_dir: /var/lib/ems-staging",
                    "  production:",
                    "    production: true              # asks for its name before what cannot be undone",
                    "    mongodb_url: mongodb://ems@db1,db2,db3/ems?replicaSet=rs0",
                    "    rabbitmq_url: amqps://ems@broker.example.com",
                    "    password_command: pass show ems/production",
                    "    secret_key_file: /etc/ems/secret.key",
                ]),
                .heading("Secrets"),
                .text(
                    """
                    No secret need stand in the file. password_file and password_command give the password of the users that mongodb_url and \
                    rabbitmq_url name without one; secret_key_file and secret_key_command give the key that signs the tokens. A file must be \
                    readable by its owner only; of a command, the first line of its output counts. Neither is shown or logged.
                    """),
                .heading("Settings"),
                .terms(settings),
            ], others: ["ems 1", "ems-config 1", "ems-environment 7"])
    }

    static var environment: Topic {
        let settings = SettingKey.allCases.map { key in
            (term: key.environmentNames.joined(separator: ", "), text: "Sets \(key.rawValue). \(key.summary)")
        }
        return Topic(
            name: "environment", page: "ems-environment", section: 7, summary: "the environment variables that ems heeds",
            blocks: [
                .terms([
                    ("EMS_CONFIG", "The configuration file, where --config names none."),
                    ("EMS_PROFILE", "The profile of the configuration file, where --profile names none."),
                    ("XDG_CONFIG_HOME", "Where the configuration lies: ems/config.yaml below it. The default is ~/.config."),
                    ("XDG_DATA_HOME", "Where the data of the embedded store lies: ems below it. The default is ~/.local/share."),
                    ("XDG_STATE_HOME", "Where the history of ems shell lies: ems/history below it. The default is ~/.local/state."),
                    ("TMPDIR", "Where ems event import --atomic keeps what it reads from a pipe. The default is /tmp."),
                    ("NO_COLOR", "No colours, where it is not empty."),
                    ("CLICOLOR_FORCE", "Colours also where no terminal is, where it is neither empty nor 0."),
                    ("CLICOLOR", "No colours, where it is 0."),
                    ("TERM", "No colours, where it is dumb."),
                    (
                        "EMS_PAGER, PAGER",
                        "The program that shows what is longer than the screen, less where nothing is said; none where it is empty or cat."
                    ),
                    ("TZ", "The time zone of --local."),
                ]),
                .heading("Settings"), .text("These set what stands in ems-config(5) under the other name."), .terms(settings),
            ], others: ["ems 1", "ems-config 5"])
    }

    static var formats: Topic {
        Topic(
            name: "formats", page: "ems-formats", section: 5, summary: "the forms in which ems brings events and accounts in and out",
            blocks: [
                .text(
                    """
                    A record is known by its event_id; or by its external_id, the name it has elsewhere; or, where it has neither, by all that \
                    it says. One that is there already is skipped, or changed with --update. So a repeated import makes nothing twice, and one \
                    that was cut short goes on. Accounts are known by their username, in any letter case: a record with the username of \
                    another person fails.
                    """),
                .text(
                    """
                    Text is UTF-8, or UTF-16 with a byte order mark; --encoding names another one, such as windows-1252. Text that is not in \
                    the encoding is never guessed at: the record fails, with its line. No record may have more than 1 MiB. The names of files and \
                    directories are bytes: they need not be UTF-8, and are shown with \\xFC for what is not.
                    """),
                .text(
                    """
                    --rejects FILE writes the records that fail, in the form of the input and readable by you only, each with its reason \
                    (reject_reason, in iCalendar X-EMS-REJECT-REASON): correct them there, and import the file. A line that is not \
                    valid JSON is kept in reject_line.
                    """),
                .text(
                    """
                    --atomic stores all or nothing. On the embedded store the import is one transaction, and others wait with their writes \
                    until it ends. On MongoDB, which has none that long, what was stored is taken back where a later record fails: for a \
                    moment others can see it, and be told of it and of its end. Of a process that is killed there (SIGKILL), what was stored \
                    stays; the same command goes on.
                    """),
                .heading("jsonl"),
                .text("A JSON object on each line, with the fields of HTTP, and external_id, external_sequence and external_properties."),
                .literal([
                    #"{"title": "Gala", "start_time": "2040-03-01T19:00:00Z", "end_time": "2040-03-01T23:00:00Z", "tags": ["music"]}"#,
                    #"{"username": "ada", "email": "ada@example.com", "password_hash": "$2b$12$...", "role": "organizer"}"#,
                ]),
                .heading("csv"),
                .text(
                    """
                    RFC 4180, with a header line whose names are the fields; --map COLUMN=FIELD where they are called otherwise. Tags are \
                    separated by commas within their field; the place on the map has the columns latitude and longitude. Empty fields are \
                    absent. Columns that are no fields are left out, and told.
                    """),
                .text(
                    """
                    Commas, semicolons, tabs or bars may separate the cells, as the header or a first line such as sep=; shows; --delimiter \
                    says it. Lines end with LF, CR LF or CR. Rows of separators only are passed over. Within a cell that does not begin \
                    with one, a quote is a character like others.
                    """),
                .text(
                    """
                    A spreadsheet takes a cell that begins with =, +, -, @, a tab or CR for a formula. Such cells are written with an \
                    apostrophe in front, which import takes away again; numbers stay as they are. --raw writes, and reads, all cells as they \
                    are.
                    """),
                .heading("iCalendar"),
                .text(
                    """
                    RFC 5545. A VEVENT becomes an event: SUMMARY, DESCRIPTION, LOCATION, DTSTART, DTEND or DURATION, STATUS, CATEGORIES (tags), \
                    GEO, and an ATTACH that is a URL. UID is the external_id; one of ours, ID@ems, is the event's own id. SEQUENCE tells \
                    which of two states is the newer one: an older one changes nothing.
                    """),
                .text(
                    """
                    A zone is the one that the calendar defines (VTIMEZONE, anywhere in it, with rules of any kind); otherwise one of the IANA \
                    database, or of Windows (W. Europe Standard Time). An abbreviation such as EST or IST is no zone. Dates without a time, and \
                    times without a zone, are those of X-WR-TIMEZONE, or of --time-zone, UTC where nothing is said; a date is a whole day. An \
                    event without an end is an instant, which here has one second.
                    """),
                .text(
                    """
                    Of METHOD:CANCEL, a UID is enough: with --update the event is canceled. Two different events with one UID are an error of \
                    the second. An optional property that cannot be read, such as GEO:null;null, is reported and ignored.
                    """),
                .text(
                    """
                    All other properties and the components inside (VALARM) are kept, and written out again as they came, as are a time's own \
                    zone and the parameters of a property, as long as the event was not changed in it. What an event here cannot be is \
                    reported with its line: one that recurs (RRULE, RDATE, RECURRENCE-ID), VTODO and other components.
                    """),
                .text(
                    """
                    Written times are in UTC, or with --time-zone in that zone, whose definition is part of the calendar. Times within the hour \
                    that clocks show twice are written in UTC, since programs differ in which of the two they mean. completed is written as \
                    STATUS:CONFIRMED and X-EMS-STATUS:COMPLETED, max_attendees as X-EMS-MAX-ATTENDEES.
                    """),
            ], others: ["ems-event-export 1", "ems-event-import 1", "ems-user-import 1"])
    }
}
