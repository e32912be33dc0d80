# Rails' ActionCable at /cable, by Puma: ruby cable.rb [seconds between its pings, 3 by default].
# Prints "PORT n" when it listens; ends when its standard input does.
require 'logger'
require 'action_cable'
require 'puma'
require 'puma/server'

if ARGV[0]
  ActionCable::Server::Connections.send(:remove_const, :BEAT_INTERVAL)
  ActionCable::Server::Connections::BEAT_INTERVAL = Float(ARGV[0])
end

ActionCable.server.config.tap do |config|
  config.logger = Logger.new($stderr, level: Logger::WARN)
  config.cable = { 'adapter' => 'async' }
  config.connection_class = -> { ActionCable::Connection::Base }
  config.disable_request_forgery_protection = true
end

# Its first connections do this themselves, and when they come at once each starts a timer that pings everybody.
ActionCable.server.setup_heartbeat_timer

app = lambda do |env|
  env['PATH_INFO'] == '/cable' ? ActionCable.server.call(env) : [404, { 'Content-Type' => 'text/plain' }, ['Not Found']]
end
server = Puma::Server.new(app)
port = server.add_tcp_listener('127.0.0.1', 0).addr[1]
server.run
puts "PORT #{port}"
$stdout.flush
$stdin.read
exit!(0)
