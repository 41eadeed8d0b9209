// Orders, for whoever asks.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, http.HandlerFunc(orders)))
}

func orders(response http.ResponseWriter, request *http.Request) {
	order := strings.TrimPrefix(request.URL.Path, "/orders/")
	switch {
	case request.Method == http.MethodDelete:
		fmt.Fprintln(response, "cancelled", order)
	default:
		fmt.Fprintln(response, "your order", order)
	}
}
