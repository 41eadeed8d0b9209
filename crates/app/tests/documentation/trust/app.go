// Go's own client, which trusts what SSL_CERT_FILE names.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	answer, err := http.Get(os.Getenv("AUTHORITY") + "/realms/main/.well-known/openid-configuration")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var document struct{ Issuer string }
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.Issuer)
}
