/// How a change came in.
public struct ChangeSource: Sendable, Equatable {
    public enum Kind: String, CaseIterable, Sendable {
        case http
        /// Over a WebSocket.
        case ws
        /// A command with a terminal.
        case cli
        /// A command without a terminal: cron, a timer, a script of a server.
        case cron
        /// A record of a file.
        case `import`
        /// A message of version 0.1.0, which did not record where a change came from.
        case broker
    }

    public let kind: Kind
    /// The client's IP address, without the port.
    public let address: String?
    /// The id that the request came with, or was given.
    public let requestID: String?
    public let traceparent: TraceParent?

    public init(_ kind: Kind, address: String? = nil, requestID: String? = nil, traceparent: TraceParent? = nil) {
        self.kind = kind
        self.address = address
        self.requestID = requestID
        self.traceparent = traceparent
    }
}

extension ChangeSource: JSONEncodable {
    /// Everything but the `traceparent`, which is a member of the change itself.
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("kind", kind.rawValue)
            if let address { $0.member("address", address) }
            if let requestID { $0.member("request_id", requestID) }
        }
    }

    init(_ json: JSONValue, traceparent: TraceParent?) throws {
        var fields = JSONFields(json, at: ["source"])
        let (kind, address, requestID) = (fields.requiredString("kind"), fields.string("address"), fields.string("request_id"))
        try fields.finish()
        guard let kind = Kind(rawValue: kind) else { throw EMSError.invalid("kind", "is not a kind of source", in: "source") }
        self.init(kind, address: address, requestID: requestID, traceparent: traceparent)
    }
}

/// Where a request belongs in a distributed trace: W3C Trace Context (w3.org/TR/trace-context-1, section 3.2), version 00.
public struct TraceParent: Sendable, Equatable, CustomStringConvertible {
    /// `00-<trace id, 32 hex digits>-<parent id, 16 hex digits>-<flags, 2 hex digits>`, in lower case.
    public let description: String

    /// - Returns: `nil` if the text is not a valid header of version 00; ids of zeros are not valid (sections 3.2.2.3 and 3.2.2.4).
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [2, 32, 16, 2], parts[0].elementsEqual("00".utf8), parts.allSatisfy({ $0.allSatisfy(Self.isHexDigit) }),
            parts[1...2].allSatisfy({ $0.contains { $0 != UInt8(ascii: "0") } })
        else { return nil }
        description = text
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
