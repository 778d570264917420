"""What every view needs: errors, guards, requests, conditional answers."""
