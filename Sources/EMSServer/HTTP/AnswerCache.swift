import EMSCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// Answers that may be given again as they were, for as long as the part of the store they tell of has not changed: the bytes are ready, and
/// a request for them takes no way through routes, tasks or the store.
///
/// What decides an answer is compared each time: the URL, who asks and whether the token is good by now, the state of the store. A request
/// with a header that could decide anything else goes the usual way.
final class AnswerCache: Sendable {
    /// What all answers may hold together, in bytes.
    private static let limit = 32 << 20
    /// Longer bodies are not kept: what waits for a client to read it is counted on the usual way (``ResponseBudget``).
    static let bodyBytes = 16 * 1024

    struct Key: Hashable, Sendable {
        let url: String
        /// `nil` where all users get the same.
        let user: UserID?
        let takesGzip: Bool
    }

    private struct Answer: Sendable {
        let state: StoreState
        /// Status line and headers, without those that are different each time.
        let head: ByteBuffer
        /// Those of the answer to whoever knows the content already; `nil` where there is no entity tag.
        let unchanged: (tag: String, head: ByteBuffer)?
        let body: ByteBuffer
        let meter: ServerMetrics.Meter
    }

    enum Reply {
        /// The bytes of the answer.
        case known(ByteBuffer)
        /// The answer of the usual way may be kept.
        case unknown(AnswerRecording)
        case none
    }

    private let authentication: AuthenticationService
    private let watch: any StoreWatch
    private let limiter: RequestLimiter?
    private let metrics: ServerMetrics
    private let operations: KeptOperations
    private let answers = NIOLockedValueBox(RecentCache<Key, Answer>(cost: limit))
    private let date = NIOLockedValueBox((second: Int64.min, text: ""))

    /// - Returns: `nil` where it cannot be told whether an answer still holds.
    init?(_ services: RouteServices, _ groups: [any RouteGroup.Type]) {
        guard let watch = services.runtime.watch else { return nil }
        self.watch = watch
        authentication = services.authentication
        limiter = services.limiter
        metrics = services.metrics
        operations = KeptOperations(groups, prefixes: services.prefixes)
    }

    // MARK: Giving

    func reply(to head: HTTPRequestHead) -> Reply {
        guard head.method == .GET, head.version == .http1_1, let operation = operations.operation(at: head.uri),
            let wishes = Wishes(head.headers), let identity = authentication.knownIdentity(of: wishes.token),
            let state = watch.state(of: operation.keeping.part)
        else { return .none }
        let start = ContinuousClock.now
        let key = Key(url: head.uri, user: operation.keeping.isPersonal ? identity.user.id : nil, takesGzip: wishes.takesGzip)
        guard let answer = answers.withLockedValue({ $0.value(for: key) }), answer.state == state else {
            return .unknown(AnswerRecording(key: key, state: state, operation: operation.id))
        }
        let allowance = limiter?.count(identity.user.id.description)
        // The usual way says how long to wait.
        if let allowance, !allowance.isGranted { return .none }
        metrics.keptAnswerGiven()
        defer { answer.meter.record(wishes.knows(answer.unchanged?.tag) ? 304 : 200, ContinuousClock.now - start) }
        if let unchanged = answer.unchanged, wishes.knows(unchanged.tag) { return .known(completed(unchanged.head, allowance)) }
        var bytes = completed(answer.head, allowance, body: answer.body.readableBytes)
        bytes.writeImmutableBuffer(answer.body)
        return .known(bytes)
    }

    /// The head with what is different each time, and the empty line.
    private func completed(_ head: ByteBuffer, _ allowance: RateAllowance?, body length: Int = 0) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: head.readableBytes + 160 + length)
        bytes.writeImmutableBuffer(head)
        if let allowance {
            bytes.writeStaticString("RateLimit-Limit: ")
            bytes.writeString(String(allowance.limit))
            bytes.writeStaticString("\r\nRateLimit-Remaining: ")
            bytes.writeString(String(allowance.remaining))
            bytes.writeStaticString("\r\nRateLimit-Reset: ")
            bytes.writeString(String(allowance.resetSeconds))
            bytes.writeStaticString("\r\n")
        }
        bytes.writeStaticString("Date: ")
        bytes.writeString(dateText())
        bytes.writeStaticString("\r\n\r\n")
        return bytes
    }

    private func dateText() -> String {
        let now = Timestamp.now()
        return date.withLockedValue { date in
            let second = now.milliseconds / 1000
            if date.second != second { date = (second, HTTPDate.text(of: now)) }
            return date.text
        }
    }

    // MARK: Keeping

    /// Keeps an answer, if it is one that may be given again.
    func keep(_ recording: AnswerRecording) {
        guard let head = recording.head, head.status == .ok, head.headers["Connection"].isEmpty else { return }
        let tag = head.headers.first(name: "ETag")
        let unchanged = tag.map { tag -> (tag: String, head: ByteBuffer) in
            var bytes = ByteBuffer(string: "HTTP/1.1 304 Not Modified\r\n")
            for (name, value) in head.headers where name == "ETag" || name == "Vary" { bytes.writeString("\(name): \(value)\r\n") }
            return (tag, bytes)
        }
        var bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\n")
        for (name, value) in head.headers where name != "Date" && !name.hasPrefix("RateLimit-") {
            bytes.writeString("\(name): \(value)\r\n")
        }
        let answer = Answer(
            state: recording.state, head: bytes, unchanged: unchanged, body: recording.body, meter: metrics.meter(recording.operation))
        // With what the tables and the key need besides.
        let cost = bytes.readableBytes + recording.body.readableBytes + recording.key.url.utf8.count + 512
        answers.withLockedValue { $0.set(answer, for: recording.key, cost: cost) }
    }
}

/// An answer on its way to the client, while it is written down.
struct AnswerRecording {
    let key: AnswerCache.Key
    /// As it was before anything was read.
    let state: StoreState
    let operation: String
    private(set) var head: HTTPResponseHead?
    private(set) var body = ByteBuffer()

    init(key: AnswerCache.Key, state: StoreState, operation: String) {
        self.key = key
        self.state = state
        self.operation = operation
    }

    mutating func add(_ part: HTTPServerResponsePart) {
        switch part {
        case .head(let head): self.head = head
        case .body(.byteBuffer(let bytes)):
            // What is too long to be kept is not copied either.
            if body.readableBytes + bytes.readableBytes > AnswerCache.bodyBytes { head = nil }
            if head != nil { body.writeImmutableBuffer(bytes) }
        // Of no answer that may be kept.
        case .body(.fileRegion): head = nil
        case .end: break
        }
    }
}

/// What a request's headers ask for, where they ask for nothing unusual.
private struct Wishes {
    private(set) var token = ""
    private(set) var takesGzip = false
    private var known: String?
    private var encodings: String?

    /// - Returns: `nil` where a header may decide what only the usual way knows.
    init?(_ headers: HTTPHeaders) {
        var hosts = 0
        for (name, value) in headers {
            guard value.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
            switch name.utf8.count {
            case 4 where name.isToken("host"):
                hosts += 1
                if value.isEmpty { return nil }
            case 6 where name.isToken("accept"):
                guard value == "*/*" || value == "application/json" else { return nil }
            case 6 where name.isToken("origin"), 6 where name.isToken("expect"), 7 where name.isToken("upgrade"),
                12 where name.isToken("x-request-id"), 14 where name.isToken("content-length"),
                17 where name.isToken("transfer-encoding"):
                return nil
            case 10 where name.isToken("connection"):
                guard value.isToken("keep-alive") else { return nil }
            case 13 where name.isToken("authorization"):
                guard token.isEmpty, value.hasPrefix("Bearer ") else { return nil }
                token = String(value.dropFirst(7))
            case 13 where name.isToken("if-none-match"):
                guard known == nil else { return nil }
                known = value
            case 15 where name.isToken("accept-encoding"):
                guard encodings == nil else { return nil }
                encodings = value
            default: break
            }
        }
        guard hosts == 1, !token.isEmpty else { return nil }
        takesGzip = encodings.map { AcceptEncoding.takesGzip($0) } ?? false
    }

    func knows(_ tag: String?) -> Bool {
        guard let known, let tag else { return false }
        return EntityTag.isListed(tag, in: known)
    }
}

/// The operations whose answers may be kept, by their paths.
private struct KeptOperations: Sendable {
    struct Kept: Sendable {
        let id: String
        let keeping: Operation.Keeping
    }

    private var byPath: [String: Kept] = [:]
    /// Of paths that end with an id: what stands before it.
    private var byParent: [String: Kept] = [:]

    init(_ groups: [any RouteGroup.Type], prefixes: [String]) {
        for group in groups {
            for route in group.described where route.method == .get { add(route, prefixes) }
        }
    }

    private mutating func add(_ route: DescribedRoute, _ prefixes: [String]) {
        guard let keeping = route.operation.keeping else { return }
        let kept = Kept(id: route.operation.id, keeping: keeping)
        for prefix in prefixes {
            let path = prefix + route.path
            if path.hasSuffix("/{id}") { byParent[String(path.dropLast(4))] = kept } else { byPath[path] = kept }
        }
    }

    func operation(at url: String) -> Kept? {
        let utf8 = url.utf8
        let end = utf8.firstIndex(of: UInt8(ascii: "?")) ?? utf8.endIndex
        let kept: Kept?
        if let known = byPath[String(url[..<end])] {
            kept = known
        } else if utf8.distance(from: utf8.startIndex, to: end) > 32 {
            // An id in any other form goes the usual way.
            let start = utf8.index(end, offsetBy: -32)
            guard
                url[start..<end].utf8.allSatisfy({
                    UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
                })
            else { return nil }
            kept = byParent[String(url[..<start])]
        } else {
            return nil
        }
        guard let kept, kept.keeping.withQuery || end == utf8.endIndex, url.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return kept
    }
}

/// The date in the form of HTTP (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func text(of moment: Timestamp) -> String {
        // "2026-11-29T23:58:16.000Z"
        let digits = Array(moment.description.utf8)
        func text(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        let day = days[Int((moment.milliseconds / 86_400_000) % 7)]
        let month = months[(Int(text(5..<7)) ?? 1) - 1]
        return "\(day), \(text(8..<10)) \(month) \(text(0..<4)) \(text(11..<19)) GMT"
    }
}
