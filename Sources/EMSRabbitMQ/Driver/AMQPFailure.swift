import EMSCore

/// What goes wrong with RabbitMQ, as entries of the catalogue.
enum AMQPFailure {
    static func unreachable(_ url: AMQPURL, _ reason: String) -> EMSError {
        EMSError(
            .unreachable, "RabbitMQ at \(url.server) cannot be reached (\(Printable.stripped(reason)))",
            fix: "check that it runs, and rabbitmq_url", retryAfter: 1)
    }

    /// The server closed the channel or the connection: the reply codes of AMQP 0-9-1.
    static func closed(by url: AMQPURL, code: UInt16, reason: String) -> EMSError {
        let reason = Printable.stripped(reason)
        switch code {
        case 403:
            return EMSError(
                .permission, "RabbitMQ at \(url.server) refuses it to the user of rabbitmq_url (\(reason))",
                fix: "check user and password, and the permissions on the virtual host \(Printable.quoted(url.virtualHost))")
        case 404: return EMSError(.notFound, "RabbitMQ at \(url.server): \(reason)", fix: "ems broker declare")
        case 405: return EMSError(.busy, "RabbitMQ at \(url.server): \(reason)", retryAfter: 1)
        case 406: return difference(url, reason) ?? EMSError(.configuration, "RabbitMQ at \(url.server): \(reason)")
        case 530:
            return EMSError(
                .configuration, "RabbitMQ at \(url.server) has no virtual host \(Printable.quoted(url.virtualHost)), or not for this user",
                fix: "check the path of rabbitmq_url")
        default: return unreachable(url, "\(code) \(reason)")
        }
    }

    /// Reads `… inequivalent arg 'x-queue-type' for queue 'ems.notifications' in vhost '/': received 'quorum' but current is 'classic'`.
    private static func difference(_ url: AMQPURL, _ reason: String) -> EMSError? {
        guard reason.contains("inequivalent arg") else { return nil }
        let quoted = reason.split(separator: "'", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map(
            \.element)
        guard quoted.count >= 4 else { return nil }
        let kind = reason.contains("for exchange") ? "exchange" : "queue"
        let current = reason.contains("but current is none") || quoted.count < 5 ? "is not set" : "is '\(quoted[4])'"
        let received = reason.contains("received none") ? "none" : "'\(quoted[3])'"
        let found = reason.contains("received none") ? "is '\(quoted[3])'" : current
        return EMSError(
            .configuration,
            "the \(kind) '\(quoted[1])' at RabbitMQ \(url.server) was declared by somebody else: its \(quoted[0]) \(found), ems needs \(received)",
            fix: kind == "queue"
                ? "move its messages to the dead letters and make it anew with: ems broker declare --replace"
                : "delete it with rabbitmqctl, or choose another name with exchange_name")
    }
}
