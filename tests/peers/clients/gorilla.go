// Connects to the URL given and reads until the end; gorilla/websocket answers pings by itself.
package main

import (
	"fmt"
	"os"

	"github.com/gorilla/websocket"
)

func main() {
	connection, _, err := websocket.DefaultDialer.Dial(os.Args[1], nil)
	for err == nil {
		_, _, err = connection.ReadMessage()
	}
	fmt.Println("ended:", err)
}
