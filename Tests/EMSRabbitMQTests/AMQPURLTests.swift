@testable import EMSRabbitMQ
import EMSCore
import Testing

@Suite("URLs of RabbitMQ")
struct AMQPURLTests {
    @Test("All parts are read, percent-encoded ones decoded")
    func parts() throws {
        let url = try AMQPURL("amqps://us%40er:p%3Ass@mq.example.com:5671/my%2Fhost?heartbeat=7&verify=verify_none&cacertfile=ca.pem")
        #expect(url.user == "us@er" && url.password == "p:ss")
        #expect(url.server == "mq.example.com:5671")
        #expect(url.virtualHost == "my/host")
        #expect(url.usesTLS && !url.verifiesPeer && url.authorityFile == "ca.pem" && url.heartbeat == 7)
    }

    @Test("What is not said is as usual; a slash alone means the usual virtual host", arguments: ["amqp://localhost", "amqp://localhost/"])
    func defaults(text: String) throws {
        let url = try AMQPURL(text)
        #expect(url.user == "guest" && url.virtualHost == "/" && url.server == "localhost:5672")
        #expect(!url.usesTLS && url.verifiesPeer)
    }

    @Test(
        "What cannot be read is refused without showing any of it",
        arguments: [
            "amqp://ems:hunter2@host:port/", "amqp://ems:hunter2@host/?heartbeat=soon", "amqp://ems:hunter2@host/?hunter2x=1&verify=no",
            "http://ems:hunter2@host", "",
        ])
    func malformed(text: String) {
        #expect {
            try AMQPURL(text)
        } throws: { error in
            guard let error = error as? EMSError else { return false }
            return error.code == .configuration && !error.description.contains("ems:hunter2")
        }
    }
}
