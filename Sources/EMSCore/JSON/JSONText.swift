/// A JSON value that is stored and passed on as it is: parsed or written only where that is needed.
public struct JSONText: Sendable {
    private enum Form: Sendable {
        case written([UInt8])
        case parsed(JSONValue)
    }

    private let form: Form

    /// - Parameter bytes: one valid JSON value.
    public init(trusted bytes: [UInt8]) {
        form = .written(bytes)
    }

    public init(_ value: JSONValue) {
        form = .parsed(value)
    }

    public var bytes: [UInt8] {
        switch form {
        case .written(let bytes): bytes
        case .parsed(let value): value.json()
        }
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// - Throws: ``EMSError`` with ``ErrorCode/storeCorrupt`` if it is not JSON.
    public func value() throws -> JSONValue {
        switch form {
        case .parsed(let value): return value
        case .written(let bytes):
            do {
                return try JSONParser.parse(bytes)
            } catch {
                throw EMSError(.storeCorrupt, "a stored change is not JSON: \(error)", fix: "restore a backup")
            }
        }
    }
}

extension JSONText: Equatable {
    public static func == (left: JSONText, right: JSONText) -> Bool { left.bytes == right.bytes }
}

extension JSONText: JSONEncodable {
    public func encode(to writer: inout JSONWriter) { writer.raw(self) }
}
