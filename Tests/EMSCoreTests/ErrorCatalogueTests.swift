import Testing

@testable import EMSCore

@Suite("The catalogue of errors")
struct ErrorCatalogueTests {
    /// What the contract lists, and 74 (`EX_IOERR`).
    static let exitStatuses: Set<Int32> = [1, 3, 64, 65, 66, 69, 70, 73, 74, 75, 77, 78, 130]

    @Test("Codes are unique words in snake case", arguments: ErrorCode.allCases)
    func codes(code: ErrorCode) {
        #expect(ErrorCode.allCases.filter { $0.rawValue == code.rawValue }.count == 1)
        #expect(!code.rawValue.isEmpty)
        #expect(code.rawValue.allSatisfy { $0 == "_" || ("a"..."z").contains($0) })
    }

    @Test("Every code has an exit status of the contract", arguments: ErrorCode.allCases)
    func exitStatus(code: ErrorCode) {
        #expect(Self.exitStatuses.contains(code.exitStatus))
    }

    @Test("Every code has an HTTP status of an error", arguments: ErrorCode.allCases)
    func httpStatus(code: ErrorCode) {
        #expect((400...599).contains(code.httpStatus))
    }

    @Test("Every code has a title of its own", arguments: ErrorCode.allCases)
    func title(code: ErrorCode) {
        #expect(!code.title.isEmpty)
        #expect(!code.title.hasSuffix("."))
        #expect(ErrorCode.allCases.filter { $0.title == code.title } == [code])
    }

    @Test("Every code closes a WebSocket with a code that may stand in a close frame", arguments: ErrorCode.allCases)
    func closeCode(code: ErrorCode) {
        let allowed: [ClosedRange<UInt16>] = [1000...1003, 1007...1014, 3000...4999]
        #expect(allowed.contains { $0.contains(code.webSocketCloseCode) })
    }

    @Test(
        "Exit statuses are those of the contract",
        arguments: [
            (.failed, 1), (.partial, 3), (.usage, 64), (.invalid, 65), (.malformed, 65), (.notFound, 66), (.unreachable, 69),
            (.internal, 70), (.exists, 73), (.usernameTaken, 73), (.emailTaken, 73), (.busy, 75), (.rateLimited, 75), (.storeBusy, 75),
            (.forbidden, 77), (.unauthenticated, 77), (.permission, 77), (.configuration, 78), (.interrupted, 130),
        ] as [(ErrorCode, Int32)])
    func contractExitStatus(code: ErrorCode, status: Int32) {
        #expect(code.exitStatus == status)
    }

    @Test(
        "HTTP statuses are those of the contract",
        arguments: [
            (.malformed, 400), (.unauthenticated, 401), (.invalidCredentials, 401), (.tokenExpired, 401), (.tokenRevoked, 401),
            (.forbidden, 403), (.notFound, 404), (.methodNotAllowed, 405), (.usernameTaken, 409), (.emailTaken, 409),
            (.versionConflict, 412), (.tooLarge, 413), (.unsupportedMediaType, 415), (.invalid, 422), (.rateLimited, 429), (.internal, 500),
            (.busy, 503),
        ] as [(ErrorCode, Int)])
    func contractHTTPStatus(code: ErrorCode, status: Int) {
        #expect(code.httpStatus == status)
    }

    @Test("Any other error is the program's fault, a cancellation an interruption")
    func wrapping() {
        struct Other: Error {}
        #expect(EMSError(Other()).code == .internal)
        #expect(EMSError(CancellationError()).code == .interrupted)
        #expect(EMSError(EMSError(.busy, "x", retryAfter: 3) as any Error).retryAfter == 3)
    }

    @Test("An error reads as its message, and how to mend it")
    func description() {
        #expect("\(EMSError(.failed, "it broke"))" == "it broke")
        #expect("\(EMSError(.failed, "it broke", fix: "mend it"))" == "it broke; mend it")
        #expect("\(EMSError.notFound("event", "x"))" == "event x not found")
        #expect("\(EMSError.notFound("user", "x y"))" == "user 'x y' not found")
    }

    @Test("Faults of fields are told with their places, and without the word body")
    func fields() {
        let error = EMSError.invalid([
            FieldError(["body", "title"], "is required", type: "missing"), FieldError(["body"], "must be an object", type: "object_type"),
            FieldError(["query", "page"], "must be 1 or more", type: "value_error"),
        ])
        #expect(error.message == "title is required; must be an object; query.page must be 1 or more")
    }

    @Test(
        "Text from outside is printed without control characters",
        arguments: [
            ("plain", "'plain'"), ("a\u{1B}[2Jb", "'a\u{FFFD}[2Jb'"), ("a\nb", "'a\u{FFFD}b'"), ("a\u{9B}b", "'a\u{FFFD}b'"),
            ("a\u{202E}b", "'a\u{FFFD}b'"), ("\u{0}", "'\u{FFFD}'"), ("שלום 👩‍👧", "'שלום 👩‍👧'"),
            (String(repeating: "x", count: 80), "'" + String(repeating: "x", count: 80) + "'"),
            (String(repeating: "x", count: 81), "'" + String(repeating: "x", count: 80) + "…'"),
        ])
    func quoting(text: String, quoted: String) {
        #expect(Printable.quoted(text) == quoted)
    }
}
