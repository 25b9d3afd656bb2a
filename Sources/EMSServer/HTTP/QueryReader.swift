import EMSCore
import Hummingbird
import HummingbirdCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Reads query parameters, as they were declared.
struct QueryReader {
    /// The longest text, in characters.
    static let textLimit = 1000
    /// How often a parameter may be repeated that may be.
    static let repetitionLimit = 20

    private let parameters: FlatDictionary<Substring, Substring>
    private let declared: [ParameterDescription]

    init(_ parameters: FlatDictionary<Substring, Substring>, declared: [ParameterDescription]) {
        self.parameters = parameters
        self.declared = declared
    }

    /// The parameters of a URL, in which a plus stands for a space (the form encoding of the URL standard) unless it is escaped.
    init(_ uri: URI, for operation: Operation) {
        self.init(Self.parameters(of: uri.query ?? ""), declared: operation.parameters)
    }

    /// Names and values, decoded: a name may be percent-encoded as well.
    static func parameters(of query: some StringProtocol) -> FlatDictionary<Substring, Substring> {
        let query = String(query)
        let spaced = query.utf8.contains(UInt8(ascii: "+")) ? query.replacing("+", with: "%20") : query
        let parameters = URI("/?" + spaced).queryParameters
        guard parameters.contains(where: { $0.key.utf8.contains(UInt8(ascii: "%")) }) else { return parameters }
        return FlatDictionary(parameters.map { (key: ($0.key.removingPercentEncoding ?? String($0.key))[...], value: $0.value) })
    }

    /// Refuses parameters that mean nothing to an operation: a misspelt filter would otherwise find everything. Those that begin with `_`
    /// or `utm_` are of others on the way, and are ignored.
    /// - Throws: ``EMSError`` with ``ErrorCode/invalid`` that names the closest parameter there is.
    static func refuseUnknown(in uri: URI, of operation: Operation) throws {
        guard let query = uri.query, !query.isEmpty else { return }
        try refuseUndecodable(query)
        let reader = QueryReader(uri, for: operation)
        guard reader.parameters.allSatisfy({ String($0.key).isStreamSafe && String($0.value).isStreamSafe }) else {
            throw EMSError(.malformed, "the query has more than \(String.markLimit) combining marks in a row")
        }
        try refuseUnknown(reader.parameters.map { String($0.key) }, valid: operation.queryNames)
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/malformed`` if the decoded query is not valid UTF-8.
    static func refuseUndecodable(_ query: some StringProtocol) throws {
        let bytes = Array(query.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let digits = bytes[index...].dropFirst().prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            let isEscape = bytes[index] == UInt8(ascii: "%") && digits.count == 2
            decoded.append(isEscape ? UInt8(digits[0] * 16 + digits[1]) : bytes[index])
            index += isEscape ? 3 : 1
        }
        guard String(validating: decoded, as: UTF8.self) != nil else { throw EMSError(.malformed, "the query is not valid UTF-8") }
    }

    static func refuseUnknown(_ names: [String], valid: [String]) throws {
        let unknown = names.filter { !valid.contains($0) && !$0.hasPrefix("_") && !$0.hasPrefix("utm_") && !$0.isEmpty }
        guard !unknown.isEmpty else { return }
        var seen: Set<String> = []
        let shown = unknown.filter { seen.insert($0).inserted }.prefix(repetitionLimit)
        throw EMSError.invalid(
            shown.map { name in
                FieldError(
                    ["query", Printable.stripped(String(name.prefix(80)))],
                    "is not a valid parameter\(Suggestion.hint(for: String(name.prefix(80)), among: valid))", type: "extra_forbidden")
            })
    }

    /// The parameter's value; where it is any text, an empty one counts as absent.
    /// - Throws: ``EMSError`` with ``ErrorCode/invalid`` where it is not what it must be, or stands twice.
    func callAsFunction<Value>(_ parameter: QueryParameter<Value>) throws -> Value? {
        let values = try all(parameter)
        guard values.count <= 1 else {
            throw EMSError.invalid(parameter.name, "stands \(values.count) times", type: "repeated", in: "query")
        }
        return values.first
    }

    /// All values of a parameter that may be repeated.
    func all<Value>(_ parameter: QueryParameter<Value>) throws -> [Value] {
        assert(declared.contains { $0.name == parameter.name }, "the parameter \(parameter.name) is read, but not declared")
        let texts = parameters[values: parameter.name[...]].filter { !parameter.mayBeEmpty || !$0.isEmpty }
        guard texts.count <= Self.repetitionLimit else {
            throw EMSError.invalid(parameter.name, "must not stand more than \(Self.repetitionLimit) times", type: "repeated", in: "query")
        }
        return try texts.map { text in
            guard let value = parameter.convert(String(text)) else {
                throw EMSError.invalid(parameter.name, parameter.wanted, type: parameter.fault, in: "query")
            }
            return value
        }
    }

    func page() throws -> PageRequest {
        PageRequest(number: try self(PageParameters.number) ?? 1, size: try self(PageParameters.size) ?? 10, after: try self(.after))
    }

    /// The page of a list without page numbers.
    func cursorPage() throws -> PageRequest {
        PageRequest(size: try self(PageParameters.size) ?? 10, after: try self(.after))
    }
}
