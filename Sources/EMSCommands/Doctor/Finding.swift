import EMSCore

/// What was looked at, and how it is.
struct Finding: Presentable {
    enum Result: String, CaseIterable {
        case ok, warning, failure
    }

    /// A stable word for programs: `store.indexes`.
    let check: String
    let result: Result
    /// What was found, as a sentence without a full stop.
    let message: String
    /// The command, or the step, that mends it.
    let fix: String?
    /// What is wrong, for the exit status.
    let code: ErrorCode?

    private init(check: String, result: Result, message: String, fix: String?, code: ErrorCode?) {
        self.check = check
        self.result = result
        self.message = NamesInBytes.shown(message)
        self.fix = fix.map(NamesInBytes.shown)
        self.code = code
    }

    static func ok(_ check: String, _ message: String) -> Finding {
        Finding(check: check, result: .ok, message: message, fix: nil, code: nil)
    }

    static func warning(_ check: String, _ message: String, fix: String) -> Finding {
        Finding(check: check, result: .warning, message: message, fix: fix, code: nil)
    }

    static func failure(_ check: String, _ error: any Error, fix: String? = nil) -> Finding {
        let error = EMSError(error)
        return Finding(check: check, result: .failure, message: error.message, fix: fix ?? error.fix, code: error.code)
    }

    static let columns: [Column<Finding>] = [
        Column("result") { .text($0.result.rawValue) },
        Column("check") { .text($0.check) },
        Column("message") { .text($0.message) },
        Column("fix") { .text($0.fix) },
    ]

    var identifier: String { check }

    func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("check", check)
            $0.member("result", result.rawValue)
            $0.member("message", message)
            $0.member("fix", fix)
        }
    }
}

/// All findings, as programs read them.
struct Diagnosis: JSONEncodable {
    /// Counts the changes of this form that a reader must know of.
    static let schemaVersion = 1

    let findings: [Finding]

    /// The worst of all.
    var result: Finding.Result {
        findings.contains { $0.result == .failure } ? .failure : findings.contains { $0.result == .warning } ? .warning : .ok
    }

    func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("schema_version", Self.schemaVersion)
            $0.member("version", EMS.version)
            $0.member("result", result.rawValue)
            $0.member("checks", findings)
        }
    }
}
