import EMSCore
import Hummingbird
import HummingbirdCore

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
        self.init(URI("/?" + (uri.query ?? "").replacing("+", with: "%20")).queryParameters, declared: operation.parameters)
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
}
