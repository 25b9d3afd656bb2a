import EMSCore

/// The OpenAPI 3.1 document of a set of routes.
public struct OpenAPIDocument: Sendable {
    private let routes: [DescribedRoute]
    private let prefix: String

    /// - Parameters:
    ///   - roles: which parts of the daemon it tells of.
    ///   - prefix: the prefix under which every path answers as well.
    public init(roles: Set<ServerRole>, prefix: String) {
        self.init(routes: RouteGroups.all(for: roles).flatMap { $0.described }, prefix: prefix)
    }

    init(routes: [DescribedRoute], prefix: String) {
        self.routes = routes.filter { !$0.isHidden }
        self.prefix = prefix
    }

    /// The document as JSON.
    /// - Parameter calledUnder: the prefix under which requests are made unless one chooses the other.
    public func json(calledUnder chosen: String = "", pretty: Bool = false) -> [UInt8] {
        value(calledUnder: chosen).json(pretty: pretty)
    }

    private func value(calledUnder chosen: String) -> JSONValue {
        let prefixes = prefix.isEmpty ? [""] : chosen.isEmpty ? ["", prefix] : [prefix, ""]
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "ems",
                "summary": "Events, subscriptions and notifications.",
                "description": .string(Self.introduction),
                "version": "1.0.0",
            ],
            "servers": .array(prefixes.map { ["url": .string($0.isEmpty ? "/" : $0)] }),
            "tags": .array(Operation.Tag.allCases.map { ["name": .string($0.rawValue)] }),
            "paths": paths,
            "components": [
                "securitySchemes": [
                    "bearer": [
                        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                        "description": "The `access_token` of `POST /auth/login`.",
                    ]
                ],
                "schemas": .object(Schemas.all.map { .init(name: $0.name, value: $0.schema.json) }),
                "responses": .object(errorResponses),
                "headers": .object(
                    ResponseHeader.allCases.map { header in
                        let (summary, schema) = header.description
                        return .init(name: header.rawValue, value: ["description": .string(summary), "schema": schema.json])
                    }),
            ],
        ]
    }

    private static let introduction = """
        People register and log in, manage events, and are told of every change: in their inbox, and live over a WebSocket at `/ws` \
        (see the README for its messages and close codes).

        Errors are problem documents (RFC 9457): `code` is for programs, `detail` for people. Requests carry the access token in \
        `Authorization: Bearer …`; there are no cookies, so that no other site can make a browser send one along.
        """

    private var paths: JSONValue {
        var order: [String] = []
        var byPath: [String: [JSONValue.Member]] = [:]
        for route in routes {
            if byPath[route.path] == nil { order.append(route.path) }
            byPath[route.path, default: []].append(.init(name: route.method.rawValue.lowercased(), value: Self.operation(route.operation)))
        }
        return .object(order.map { .init(name: $0, value: .object(byPath[$0] ?? [])) })
    }

    private static func operation(_ operation: Operation) -> JSONValue {
        var members: [(String, JSONValue?)] = [
            ("operationId", .string(operation.id)), ("tags", [.string(operation.tag.rawValue)]),
            ("summary", .string(operation.summary)), ("description", operation.details.map(JSONValue.string)),
            ("security", operation.access == .bearer ? [["bearer": []]] : []),
        ]
        if !operation.parameters.isEmpty { members.append(("parameters", .array(operation.parameters.map(\.json)))) }
        if let body = operation.body {
            let content: JSONValue = ["schema": body.schema.json, "example": body.example]
            members.append(
                (
                    "requestBody",
                    ["required": true, "content": .object(body.mediaTypes.map { .init(name: $0, value: content) })]
                ))
        }
        members.append(("responses", .object(responses(of: operation))))
        return .object(members.compactMap { name, value in value.map { .init(name: name, value: $0) } })
    }

    private static func responses(of operation: Operation) -> [JSONValue.Member] {
        let answers = operation.answers.map { answer in
            var members: [JSONValue.Member] = [.init(name: "description", value: .string(answer.description))]
            let headers = answer.headers + [.rateLimit, .rateLimitRemaining, .rateLimitReset]
            members.append(.init(name: "headers", value: references(to: headers)))
            if let content = answer.content {
                var media: [JSONValue.Member] = [.init(name: "schema", value: content.schema.json)]
                if let example = content.example { media.append(.init(name: "example", value: example)) }
                members.append(.init(name: "content", value: .object([.init(name: content.mediaType, value: .object(media))])))
            }
            if !answer.links.isEmpty { members.append(.init(name: "links", value: links(answer.links))) }
            return JSONValue.Member(name: String(answer.status), value: .object(members))
        }
        let statuses = Set(operation.allErrors.map(\.httpStatus)).sorted()
        return answers
            + statuses.map { .init(name: String($0), value: ["$ref": .string("#/components/responses/\($0)")]) }
    }

    private static func links(_ links: [Operation.Link]) -> JSONValue {
        .object(
            links.map { link in
                let parameters: JSONValue = .object([
                    .init(name: link.parameter, value: .string("$response.body#\(link.pointer)"))
                ])
                return .init(name: link.operation, value: ["operationId": .string(link.operation), "parameters": parameters])
            })
    }

    /// One for each status that some operation declares, with the errors it stands for.
    private var errorResponses: [JSONValue.Member] {
        let declared = Set(routes.flatMap(\.operation.allErrors))
        let byStatus = Dictionary(grouping: ErrorCode.allCases.filter(declared.contains), by: \.httpStatus)
        return byStatus.sorted { $0.key < $1.key }.map { status, codes in
            var headers: [ResponseHeader] = []
            if status == 401 { headers.append(.authenticate) }
            if status == 429 || status == 503 { headers.append(.retryAfter) }
            let titles = codes.map { "\($0.title) (`\($0.rawValue)`)" }.joined(separator: "; ")
            let example = codes.first.map(Schemas.problemExample) ?? .null
            return JSONValue.Member(
                name: String(status),
                value: [
                    "description": .string(titles),
                    "headers": Self.references(to: headers),
                    "content": ["application/problem+json": ["schema": JSONSchema.reference("Problem").json, "example": example]],
                ])
        }
    }

    private static func references(to headers: [ResponseHeader]) -> JSONValue {
        .object(headers.map { .init(name: $0.rawValue, value: ["$ref": .string("#/components/headers/\($0.rawValue)")]) })
    }
}
