import CRabbitMQ
import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One connection to RabbitMQ. It belongs to one thread; every call may block, up to the time-outs of the URL and ten seconds for an answer.
///
/// All calls into librabbitmq are here. After an error of the connection or a channel the client is of no more use.
final class AMQPClient {
    /// For a command's answer.
    private static let answerSeconds = 10
    private static let frameBytes: Int32 = 131_072
    /// Publishing and everything else go over the one channel.
    private static let channel: amqp_channel_t = 1

    let url: AMQPURL
    private let state: amqp_connection_state_t
    /// Those of the server, as it says of itself.
    private(set) var serverVersion = ""
    /// Whether there is a connection that nothing has gone wrong with.
    private var isUsable = false

    /// Connects and logs in.
    /// - Parameter name: what the connection is called in RabbitMQ's own lists.
    init(_ url: AMQPURL, name: String) throws {
        self.url = url
        guard let state = amqp_new_connection() else { throw EMSError(.internal, "librabbitmq gave no connection") }
        self.state = state
        var patience = timeval(
            tv_sec: url.connectionTimeout / 1000, tv_usec: .init(url.connectionTimeout % 1000 * 1000))
        var answer = timeval(tv_sec: Self.answerSeconds, tv_usec: 0)
        amqp_set_handshake_timeout(state, &patience)
        amqp_set_rpc_timeout(state, &answer)
        try check(amqp_socket_open_noblock(makeSocket(), url.host, Int32(url.port), &patience), "connecting")
        try login(name)
        amqp_channel_open(state, Self.channel)
        try checkReply("opening a channel")
        isUsable = true
    }

    /// Says goodbye where the connection still works. The server gives to others what was not acknowledged.
    deinit {
        if isUsable {
            var brief = timeval(tv_sec: 1, tv_usec: 0)
            amqp_set_rpc_timeout(state, &brief)
            amqp_connection_close(state, AMQP_REPLY_SUCCESS)
        }
        amqp_destroy_connection(state)
    }

    private func makeSocket() throws -> OpaquePointer? {
        guard url.usesTLS else { return amqp_tcp_socket_new(state) }
        let socket = amqp_ssl_socket_new(state)
        amqp_ssl_socket_set_verify_peer(socket, url.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, url.verifiesPeer ? 1 : 0)
        let usual = "/etc/ssl/certs/ca-certificates.crt"
        if let file = url.authorityFile ?? (access(usual, R_OK) == 0 ? usual : nil),
            amqp_ssl_socket_set_cacert(socket, file) != AMQP_STATUS_OK.rawValue
        {
            throw EMSError(.configuration, "the certificates in \(file) (cacertfile of rabbitmq_url) cannot be read")
        }
        if let certificate = url.certificateFile,
            amqp_ssl_socket_set_key(socket, certificate, url.keyFile ?? certificate) != AMQP_STATUS_OK.rawValue
        {
            throw EMSError(.configuration, "certfile or keyfile of rabbitmq_url cannot be read", fix: "both are PEM files")
        }
        return socket
    }

    private func login(_ name: String) throws {
        let arena = Arena()
        // Without saying so, a consumer is not told that its queue was taken away.
        let capabilities = ["consumer_cancel_notify", "publisher_confirms", "basic.nack"]
        var properties = arena.table([
            ("connection_name", .text(name)), ("product", .text("ems")),
            ("capabilities", .table(Dictionary(uniqueKeysWithValues: capabilities.map { ($0, AMQPValue.bool(true)) }))),
        ])
        let reply = ems_amqp_login_plain(
            state, url.virtualHost, Self.frameBytes, url.heartbeat, &properties, url.user, url.password)
        try check(reply, "logging in")
        if let server = amqp_get_server_properties(state)?.pointee,
            case .text(let version)? = Self.dictionary(server)["version"]
        {
            serverVersion = version
        }
    }

    var descriptor: Int32 { amqp_get_sockfd(state) }

    // MARK: Topology

    func declareExchange(_ name: String, kind: String) throws {
        let arena = Arena()
        amqp_exchange_declare(state, Self.channel, arena.bytes(name), arena.bytes(kind), 0, 1, 0, 0, amqp_empty_table)
        try checkReply("declaring the exchange \(name)")
    }

    /// - Returns: the name, which the server chooses where it is empty.
    @discardableResult
    func declareQueue(
        _ name: String, durable: Bool = true, exclusive: Bool = false, autoDelete: Bool = false,
        arguments: [(name: String, value: AMQPValue)] = []
    ) throws -> String {
        let arena = Arena()
        let answer = amqp_queue_declare(
            state, Self.channel, arena.bytes(name), 0, durable ? 1 : 0, exclusive ? 1 : 0, autoDelete ? 1 : 0,
            arena.table(arguments))
        try checkReply("declaring the queue \(name)")
        return answer.map { Self.text($0.pointee.queue) } ?? name
    }

    /// How a queue is, without declaring it.
    func queueState(_ name: String) throws -> QueueState {
        let arena = Arena()
        let answer = amqp_queue_declare(state, Self.channel, arena.bytes(name), 1, 0, 0, 0, amqp_empty_table)
        try checkReply("looking at the queue \(name)")
        guard let answer else { throw EMSError(.internal, "RabbitMQ said nothing of the queue \(name)") }
        return QueueState(messages: Int(answer.pointee.message_count), consumers: Int(answer.pointee.consumer_count))
    }

    func bind(_ queue: String, to exchange: String, key: String) throws {
        let arena = Arena()
        amqp_queue_bind(
            state, Self.channel, arena.bytes(queue), arena.bytes(exchange), arena.bytes(key), amqp_empty_table)
        try checkReply("binding the queue \(queue)")
    }

    func deleteQueue(_ name: String) throws {
        let arena = Arena()
        amqp_queue_delete(state, Self.channel, arena.bytes(name), 0, 0)
        try checkReply("deleting the queue \(name)")
    }

    func deleteExchange(_ name: String) throws {
        let arena = Arena()
        amqp_exchange_delete(state, Self.channel, arena.bytes(name), 0)
        try checkReply("deleting the exchange \(name)")
    }

    // MARK: Publishing

    /// From now on the server confirms every message, and counts them from 1.
    func selectConfirms() throws {
        amqp_confirm_select(state, Self.channel)
        try checkReply("asking for confirms")
    }

    /// Hands a message to the socket. Whether it arrived is told by ``nextEvent()``.
    func publish(_ message: OutgoingMessage) throws {
        let arena = Arena()
        var properties = amqp_basic_properties_t()
        properties._flags = amqp_flags_t(AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG)
        properties.content_type = arena.bytes("application/json")
        properties.delivery_mode = message.isPersistent ? 2 : 1
        if let id = message.messageID {
            properties._flags |= amqp_flags_t(AMQP_BASIC_MESSAGE_ID_FLAG)
            properties.message_id = arena.bytes(id)
        }
        if let type = message.type {
            properties._flags |= amqp_flags_t(AMQP_BASIC_TYPE_FLAG)
            properties.type = arena.bytes(type)
        }
        if !message.headers.isEmpty {
            properties._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
            properties.headers = arena.table(message.headers)
        }
        let status = message.body.withUnsafeBytes { body in
            amqp_basic_publish(
                state, Self.channel, arena.bytes(message.exchange), arena.bytes(message.routingKey), message.isMandatory ? 1 : 0, 0,
                &properties, amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
        }
        try check(status, "publishing")
    }

    // MARK: Consuming

    /// - Parameter prefetch: how many messages may be on their way or unacknowledged.
    func consume(_ queue: String, prefetch: UInt16, acknowledges: Bool) throws {
        let arena = Arena()
        amqp_basic_qos(state, Self.channel, 0, prefetch, 0)
        try checkReply("limiting the deliveries")
        amqp_basic_consume(
            state, Self.channel, arena.bytes(queue), amqp_empty_bytes, 0, acknowledges ? 0 : 1, 0, amqp_empty_table)
        try checkReply("consuming from \(queue)")
    }

    /// Gives a message to the dead letters of its queue, or where it has none away. Only writes to the socket: it can be done also where
    /// nothing can be read any more.
    func reject(_ tag: UInt64) {
        amqp_basic_reject(state, Self.channel, tag, 0)
    }

    /// Empties a queue, whatever its messages are.
    /// - Returns: how many there were.
    func purge(_ queue: String) throws -> Int {
        let arena = Arena()
        let answer = amqp_queue_purge(state, Self.channel, arena.bytes(queue))
        try checkReply("emptying the queue \(queue)")
        return answer.map { Int($0.pointee.message_count) } ?? 0
    }

    func acknowledge(_ tag: UInt64, multiple: Bool) throws {
        try check(amqp_basic_ack(state, Self.channel, tag, multiple ? 1 : 0), "acknowledging")
    }

    /// Takes one message from a queue, to be acknowledged; `nil` where it is empty.
    func get(_ queue: String) throws -> IncomingMessage? {
        let arena = Arena()
        let reply = amqp_basic_get(state, Self.channel, arena.bytes(queue), 0)
        try check(reply, "reading the queue \(queue)")
        guard reply.reply.id == Method.getOK, let answer = reply.reply.decoded?.assumingMemoryBound(to: amqp_basic_get_ok_t.self) else {
            return nil
        }
        let (tag, exchange, key) = (answer.pointee.delivery_tag, Self.text(answer.pointee.exchange), Self.text(answer.pointee.routing_key))
        do {
            return try readMessage(exchange: exchange, routingKey: key, tag: tag)
        } catch is UnreadableMessage {
            throw EMSError(
                .malformed, "a message of the queue \(queue) has headers that cannot be read",
                fix: "drop all dead letters, unread: ems broker dead drop --all")
        }
    }

    // MARK: Events

    /// What the server has told, or tells within a time shorter than a second; also sends heartbeats when it is time. `nil` where there is
    /// nothing.
    func nextEvent(within patience: Duration = .zero) throws -> AMQPEvent? {
        var frame = amqp_frame_t()
        var time = timeval(tv_sec: 0, tv_usec: .init(patience.components.attoseconds / 1_000_000_000_000))
        let status = amqp_simple_wait_frame_noblock(state, &frame, &time)
        if status == AMQP_STATUS_TIMEOUT.rawValue {
            amqp_maybe_release_buffers(state)
            return nil
        }
        try check(status, "listening")
        guard Int32(frame.frame_type) == AMQP_FRAME_METHOD else { return .nothing }
        return try event(frame.payload.method)
    }

    private func event(_ method: amqp_method_t) throws -> AMQPEvent {
        guard let decoded = method.decoded else { return .nothing }
        switch method.id {
        case Method.ack:
            let ack = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            return .confirmed(tag: ack.delivery_tag, isMultiple: ack.multiple != 0, isPositive: true)
        case Method.nack:
            let nack = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            return .confirmed(tag: nack.delivery_tag, isMultiple: nack.multiple != 0, isPositive: false)
        case Method.returned:
            let returned = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            let reason = "\(returned.reply_code) \(Self.text(returned.reply_text))"
            return .returned(messageID: try readMessage(exchange: "", routingKey: "", tag: 0).messageID, reason: reason)
        case Method.deliver:
            let delivery = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            let (exchange, key) = (Self.text(delivery.exchange), Self.text(delivery.routing_key))
            return .delivered(try readMessage(exchange: exchange, routingKey: key, tag: delivery.delivery_tag))
        case Method.cancel: return .consumerCancelled
        case Method.channelClose:
            let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            return .closed(code: close.reply_code, reason: Self.text(close.reply_text))
        case Method.connectionClose:
            isUsable = false
            let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            return .closed(code: close.reply_code, reason: Self.text(close.reply_text))
        default: return .nothing
        }
    }

    /// Reads header and body, which follow the method.
    private func readMessage(exchange: String, routingKey: String, tag: UInt64) throws -> IncomingMessage {
        var message = amqp_message_t()
        let reply = amqp_read_message(state, Self.channel, &message, 0)
        if reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION, reply.library_error == AMQP_STATUS_BAD_AMQP_DATA.rawValue {
            isUsable = false
            throw UnreadableMessage(deliveryTag: tag)
        }
        try check(reply, "reading a message")
        defer { amqp_destroy_message(&message) }
        let properties = message.properties
        let hasID = properties._flags & amqp_flags_t(AMQP_BASIC_MESSAGE_ID_FLAG) != 0
        let hasHeaders = properties._flags & amqp_flags_t(AMQP_BASIC_HEADERS_FLAG) != 0
        return IncomingMessage(
            exchange: exchange, routingKey: routingKey,
            body: Array(UnsafeRawBufferPointer(start: message.body.bytes, count: message.body.len)),
            messageID: hasID ? Self.text(properties.message_id) : "",
            headers: hasHeaders ? Self.dictionary(properties.headers) : [:], deliveryTag: tag)
    }

    // MARK: Errors

    private func checkReply(_ what: String) throws {
        try check(amqp_get_rpc_reply(state), what)
    }

    private func check(_ reply: amqp_rpc_reply_t, _ what: String) throws {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: try check(reply.library_error, what)
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            if reply.reply.id == Method.connectionClose { isUsable = false }
            switch reply.reply.id {
            case Method.channelClose:
                if let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_channel_close_t.self).pointee {
                    throw AMQPFailure.closed(by: url, code: close.reply_code, reason: Self.text(close.reply_text))
                }
            case Method.connectionClose:
                if let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_connection_close_t.self).pointee {
                    throw AMQPFailure.closed(by: url, code: close.reply_code, reason: Self.text(close.reply_text))
                }
            default: break
            }
            throw AMQPFailure.unreachable(url, "it refused \(what)")
        default: throw AMQPFailure.unreachable(url, "no answer to \(what)")
        }
    }

    private func check(_ status: Int32, _ what: String) throws {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        isUsable = false
        throw AMQPFailure.unreachable(url, "\(what): \(String(cString: amqp_error_string2(status)))")
    }

    // MARK: Values

    private static func text(_ bytes: amqp_bytes_t) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }

    /// How deep in headers something is looked for.
    private static let headerDepth = 4

    private static func dictionary(_ table: amqp_table_t, depth: Int = headerDepth) -> [String: AMQPValue] {
        var values: [String: AMQPValue] = [:]
        for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
            let value = entry.value
            switch UnicodeScalar(value.kind) {
            case "S", "x": values[text(entry.key)] = .text(text(value.value.bytes))
            case "t": values[text(entry.key)] = .bool(value.value.boolean != 0)
            case "b": values[text(entry.key)] = .integer(Int64(value.value.i8))
            case "B": values[text(entry.key)] = .integer(Int64(value.value.u8))
            case "s": values[text(entry.key)] = .integer(Int64(value.value.i16))
            case "u": values[text(entry.key)] = .integer(Int64(value.value.u16))
            case "I": values[text(entry.key)] = .integer(Int64(value.value.i32))
            case "i": values[text(entry.key)] = .integer(Int64(value.value.u32))
            case "l": values[text(entry.key)] = .integer(value.value.i64)
            case "L", "T": values[text(entry.key)] = .integer(Int64(clamping: value.value.u64))
            case "A":
                // x-death: the first element tells of the latest death.
                if depth > 0,
                    let first = UnsafeBufferPointer(start: value.value.array.entries, count: Int(value.value.array.num_entries)).first,
                    UnicodeScalar(first.kind) == "F"
                {
                    for (name, inner) in dictionary(first.value.table, depth: depth - 1) { values["\(text(entry.key)).\(name)"] = inner }
                }
            default: break
            }
        }
        return values
    }

    /// Identifiers of methods: class and method number of AMQP 0-9-1.
    private enum Method {
        static let ack: UInt32 = 0x003C_0050
        static let nack: UInt32 = 0x003C_0078
        static let returned: UInt32 = 0x003C_0032
        static let deliver: UInt32 = 0x003C_003C
        static let cancel: UInt32 = 0x003C_001E
        static let getOK: UInt32 = 0x003C_0047
        static let channelClose: UInt32 = 0x0014_0028
        static let connectionClose: UInt32 = 0x000A_0032
    }

    /// Texts and tables for the length of one call.
    private final class Arena {
        private var blocks: [UnsafeMutableRawPointer] = []

        deinit {
            for block in blocks { free(block) }
        }

        func bytes(_ text: String) -> amqp_bytes_t {
            guard let copy = strdup(text) else { return amqp_empty_bytes }
            blocks.append(copy)
            return amqp_bytes_t(len: strlen(copy), bytes: copy)
        }

        func table(_ values: [(name: String, value: AMQPValue)]) -> amqp_table_t {
            guard !values.isEmpty else { return amqp_empty_table }
            let entries = UnsafeMutablePointer<amqp_table_entry_t>(
                OpaquePointer(malloc(values.count * MemoryLayout<amqp_table_entry_t>.stride)))
            guard let entries else { return amqp_empty_table }
            blocks.append(entries)
            for (index, (name, value)) in values.enumerated() {
                var field = amqp_field_value_t()
                switch value {
                case .text(let text): (field.kind, field.value.bytes) = (UInt8(ascii: "S"), bytes(text))
                case .integer(let number): (field.kind, field.value.i64) = (UInt8(ascii: "l"), number)
                case .bool(let flag): (field.kind, field.value.boolean) = (UInt8(ascii: "t"), flag ? 1 : 0)
                case .table(let inner):
                    (field.kind, field.value.table) = (UInt8(ascii: "F"), table(inner.map { (name: $0.key, value: $0.value) }))
                }
                (entries + index).initialize(to: amqp_table_entry_t(key: bytes(name), value: field))
            }
            return amqp_table_t(num_entries: Int32(values.count), entries: entries)
        }
    }
}
