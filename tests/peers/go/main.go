// A small server over gorilla/websocket: Pings are answered by the library, app pings here.
// Prints "PORT n" when it listens; ends when its standard input does.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{
	CheckOrigin:       func(*http.Request) bool { return true },
	EnableCompression: true,
}

// answerTo gives the pong of an app ping; anything else comes back as it is.
func answerTo(kind int, message []byte) []byte {
	var fields map[string]json.RawMessage
	if kind != websocket.TextMessage || json.Unmarshal(message, &fields) != nil || string(fields["type"]) != `"ping"` {
		return message
	}
	fields["type"] = json.RawMessage(`"pong"`)
	answer, _ := json.Marshal(fields)
	return answer
}

func serve(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if socket.WriteMessage(kind, answerTo(kind, message)) != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("PORT %d\n", listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, http.HandlerFunc(serve))
	io.Copy(io.Discard, os.Stdin)
}
